# Shared by the scripts that run in the guest, as root, under bash.
#
# Each of the four drives is cut into slices of 16 MiB; slice S of drive D is member D of array S. An array with a fifth
# member has it in the next slice of drive 0. Lab.kt cuts the same way, so the numbers below are its numbers.
set -uo pipefail

SLICE=$((16 << 20))
HOME_OF_LAB=$(sed -n 's/.*labhome=\([^ ]*\).*/\1/p' /proc/cmdline)
PATTERN=$HOME_OF_LAB/pattern.bin
MD=/dev/md/lab

fail() { echo "FAIL $*"; exit 1; }

# The device of drive N: the kernel numbers controllers as they answer, their serial numbers stay.
drive() {
  local block
  for block in /sys/block/nvme*n1; do
    case $(cat "$block/device/serial") in LAB000$1*) echo "/dev/${block##*/}" && return ;; esac
  done
  fail "no drive $1"
}

# members SLICE COUNT: attaches the members as loop devices and prints their names
members() {
  local number
  for ((number = 0; number < $2; number++)); do
    losetup --find --show --offset $((SLICE * ($1 + number / 4))) --sizelimit $SLICE "$(drive $((number % 4)))" ||
      fail "losetup"
  done
}

# make SLICE LEVEL MEMBERS BITMAP [SPARES]: fills a new array with the pattern, and leaves it running; its devices are in
# $loops then, its bytes in $size
make() {
  loops=($(members $1 $(($3 + ${5:-0}))))
  mdadm --zero-superblock --quiet "${loops[@]}" 2>/dev/null
  local options=(--level "$2" --raid-devices "$3" --metadata 1.2 --homehost lab --name "array$1")
  [ "${5:-0}" = 0 ] || options+=(--spare-devices "$5")
  [ "$2" = 1 ] || options+=(--chunk 64)
  [ "$2" = 0 ] || options+=(--bitmap "$4")
  [ "$4" = none ] || options+=(--bitmap-chunk 128K)
  mdadm --create $MD --run --quiet "${options[@]}" "${loops[@]}" || fail "create $1"
  wait_idle
  size=$(blockdev --getsize64 $MD)
  head -c "$size" "$PATTERN" >$MD && sync $MD && blockdev --flushbufs $MD || fail "fill $1"
}

# Writes 64 KiB at 1, 5 and 9 MiB: what the pattern has 32 MiB further on. Each is in another chunk of a bitmap.
patch() {
  local at
  for at in 1 5 9; do
    dd if="$PATTERN" of=$MD bs=64k count=1 skip=$(((at + 32) * 16)) seek=$((at * 16)) \
      oflag=direct conv=notrunc status=none || fail "patch"
  done
}

# How many bits a member's write-intent bitmap has set
dirty_bits() { mdadm --examine-bitmap "$1" | sed -n 's/.*, \([0-9]*\) dirty.*/\1/p'; }

# until_so WHAT COMMAND: waits until the command succeeds
until_so() {
  local what=$1 i
  shift
  for ((i = 0; i < 600; i++)); do
    "$@" && return
    sleep 0.2
  done
  cat /proc/mdstat
  fail "not $what after two minutes"
}

# Sectors read (field 3) or written (field 7) so far, of all these devices
sectors() {
  local field=$1 device
  shift
  for device in "$@"; do cat "/sys/block/${device#/dev/}/stat"; done | awk "{ sum += \$$field } END { print sum }"
}

# md's own check: prints how many sectors of redundancy mismatch
mismatches() {
  echo check >"$(sys)/sync_action" || fail "check"
  wait_idle
  cat "$(sys)/mismatch_cnt"
}

release() {
  mdadm --quiet --stop $MD || fail "stop"
  local loop
  for loop in "$@"; do losetup --detach "$loop" || fail "detach $loop"; done
}

# The name md gave the array below /sys/block
sys() { echo /sys/block/$(basename "$(readlink -f $MD)")/md; }

idle() { [ "$(cat "$(sys)/sync_action" 2>/dev/null || echo idle)" = idle ]; }

wait_idle() { until_so idle idle; }

content() { sha256sum $MD | cut -d' ' -f1; }
