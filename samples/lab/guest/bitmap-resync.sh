# The kernel's md goes on with arrays from the host, by their write-intent bitmap: expected.txt has a line for each,
# "SLICE LEVEL MEMBERS DIRTY SHA256". Between read-only and writable lies nothing but the resync.
. "$(dirname "$0")/md.sh"

synced() { [ "$(cat "$(sys)/resync_start")" = none ] && idle; }
while read -r slice level count dirty expected; do
  loops=($(members "$slice" "$count"))
  for loop in "${loops[@]}"; do
    bits=$(dirty_bits "$loop")
    [ "$bits" = "$dirty" ] || { mdadm --examine-bitmap "$loop"; fail "array $slice: $bits bits set, not $dirty"; }
  done
  mdadm --assemble --readonly $MD --quiet "${loops[@]}" || fail "md does not assemble $slice"
  before=$(sectors 3 "${loops[@]}")
  mdadm --readwrite $MD || fail "array $slice does not become writable"
  until_so synced synced
  read=$((($(sectors 3 "${loops[@]}") - before) * 512))
  [ "$(content)" = "$expected" ] || fail "array $slice, level $level: the content differs"
  echo "RESYNC $slice level=$level dirty=$dirty read=$read mismatches=$(mismatches)"
  release "${loops[@]}"
done <"$HOME_OF_LAB/expected.txt"
