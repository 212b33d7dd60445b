# HotPlugProgram, and then md's own look at the drives that the array was on in the end.
. "$(dirname "$0")/kernel.sh"

mdadm --assemble $MD --quiet $links/nvme-{LAB0000,SPARE004,LAB0001} || fail "md"
wait_idle
echo "MD $(content) $(mismatches)"
