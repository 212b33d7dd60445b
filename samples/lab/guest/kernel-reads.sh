# The kernel's md assembles what the host left in the slices, and compares: expected.txt has a line for each array,
# "SLICE LEVEL MEMBERS SHA256". First whole, with md's own check of redundancy, then with as many members away as the
# level can lose.
. "$(dirname "$0")/md.sh"

while read -r slice level count expected; do
  loops=($(members "$slice" "$count"))
  mdadm --assemble $MD --quiet "${loops[@]}" || { mdadm --assemble --verbose $MD "${loops[@]}"; cat /proc/mdstat; dmesg | tail -5; fail "md does not assemble $slice"; }
  [ "$(content)" = "$expected" ] || fail "array $slice, level $level: the content differs"
  state=$(cat "$(sys)/array_state")
  case $state in clean | readonly | read-auto) ;; *) fail "array $slice is $state, not clean" ;; esac
  mismatches=none
  if [ "$level" != 0 ]; then
    mdadm --readwrite $MD 2>/dev/null
    mismatches=$(mismatches)
    [ "$mismatches" = 0 ] || fail "array $slice, level $level: $mismatches sectors of redundancy mismatch"
  fi
  echo "READ $slice level=$level mismatches=$mismatches"
  release "${loops[@]}"

  case $level in 0) continue ;; 6) lost=2 ;; *) lost=1 ;; esac
  loops=($(members "$slice" "$count"))
  mdadm --assemble $MD --run --quiet "${loops[@]:lost}" || fail "md does not assemble $slice without $lost"
  [ "$(content)" = "$expected" ] || fail "array $slice, level $level without $lost: the content differs"
  echo "READ $slice level=$level without=$lost"
  release "${loops[@]}"
done <"$HOME_OF_LAB/expected.txt"
