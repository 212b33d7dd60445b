# The kernel's md rebuilds, replaces and loses members, and the power goes when it has recorded half of each.
. "$(dirname "$0")/md.sh"

HALF=$(((8 << 20) / 512))
arrays=()

# recorded MEMBER: md writes superblocks when an array becomes active and clean again; the write changes nothing
recorded() {
  mdadm --examine "$1" | grep -q "Recovery Offset : $HALF sectors" && return
  head -c 4096 "$PATTERN" | dd of=$MD bs=4096 oflag=direct conv=notrunc status=none
  return 1
}

begin() {
  MD=/dev/md/lab$1
  arrays+=("$MD")
  make "$@"
}

# rebuild SLICE LEVEL MEMBERS: one more is the spare, and takes the place of the first
rebuild() {
  begin "$@" none 1
  echo $HALF >"$(sys)/sync_max" && mdadm --quiet $MD --fail "${loops[0]}" || fail "fail $1"
  until_so recorded recorded "${loops[$3]}"
  echo "CUT rebuild $1 level=$2"
}

# replace SLICE LEVEL MEMBERS: the first serves while one more is filled
replace() {
  begin "$@" none 1
  echo $HALF >"$(sys)/sync_max" && mdadm --quiet $MD --replace "${loops[0]}" --with "${loops[$3]}" || fail "replace $1"
  until_so recorded recorded "${loops[$3]}"
  echo "CUT replace $1 level=$2"
}

# away SLICE LEVEL MEMBERS: the second misses some writes
away() {
  begin "$@" internal
  remove() { mdadm --quiet $MD --remove "${loops[1]}" 2>/dev/null; }
  tidy() { [ "$(dirty_bits "${loops[0]}")" = 0 ]; }
  until_so tidy tidy
  mdadm --quiet $MD --fail "${loops[1]}" || fail "fail $1"
  until_so removed remove
  patch && sync $MD
  echo "CUT away $1 level=$2"
}

rebuild 0 1 2
rebuild 1 5 3
rebuild 2 6 4
rebuild 4 10 4
replace 6 1 2
replace 7 5 3
replace 8 6 4
replace 10 10 4
away 12 1 2
away 13 5 4
away 14 6 4
away 15 10 4
quiet() { [ "$(cat "$(sys)/array_state")" = clean ]; }
for MD in "${arrays[@]}"; do until_so clean quiet; done
echo "@@CUT"
sleep 60
