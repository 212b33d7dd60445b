# The kernel's md makes an array in each slice and fills it with the pattern. The dirty ones are caught in the middle of
# a write: copied as they lie on the drives while md has them marked active, with one data chunk torn.
. "$(dirname "$0")/md.sh"

clean() {
  make "$@"
  [ "$(content)" = "$(head -c "$size" "$PATTERN" | sha256sum | cut -d' ' -f1)" ] || fail "md does not read what it wrote"
  echo "ARRAY $1 level=$2 size=$size"
  release "${loops[@]}"
}

# dirty SLICE LEVEL MEMBERS: made in the last slice, copied to SLICE while active
dirty() {
  make 15 "$2" "$3" none
  echo 1000 >"$(sys)/safe_mode_delay"
  head -c 4096 "$PATTERN" | dd of=$MD bs=4096 oflag=direct conv=notrunc status=none || fail "write"
  local state number offset
  state=$(cat "$(sys)/array_state")
  case $state in active | active-idle) ;; *) fail "array $1 is $state, not active" ;; esac
  for ((number = 0; number < $3; number++)); do
    dd if="$(drive $number)" of="$(drive $number)" iflag=direct oflag=direct conv=notrunc status=none \
      bs=1M count=16 skip=$((16 * 15)) seek=$((16 * $1)) || fail "copy"
  done
  # The torn write: 4 KiB of zeroes, 64 KiB into the data of member 1, that redundancy does not know of.
  offset=$(mdadm --examine "${loops[1]}" | sed -n 's/.*Data Offset : \([0-9]*\) sectors/\1/p')
  dd if=/dev/zero of="$(drive 1)" oflag=direct conv=notrunc status=none \
    bs=4096 count=1 seek=$(((SLICE * $1 + offset * 512 + 65536) / 4096)) || fail "tear"
  echo "DIRTY $1 level=$2 size=$size"
  release "${loops[@]}"
}

clean 0 0 4 none
clean 1 1 2 none
clean 2 5 4 none
clean 3 6 4 none
clean 4 10 4 none
clean 5 6 4 internal
dirty 6 1 2
dirty 7 5 4
dirty 8 6 4
dirty 9 10 4
sync
