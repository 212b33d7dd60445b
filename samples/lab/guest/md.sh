# Shared by the scripts that run in the guest, as root, under bash.
#
# Each of the four drives is cut into slices of 16 MiB; slice S of drive D is member D of array S. KernelMdSpec cuts the
# same way, so the numbers below are its numbers.
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
    losetup --find --show --offset $((SLICE * $1)) --sizelimit $SLICE "$(drive $number)" || fail "losetup"
  done
}

release() {
  mdadm --quiet --stop $MD || fail "stop"
  local loop
  for loop in "$@"; do losetup --detach "$loop" || fail "detach $loop"; done
}

# The name md gave the array below /sys/block
sys() { echo /sys/block/$(basename "$(readlink -f $MD)")/md; }

wait_idle() {
  local i
  for ((i = 0; i < 600; i++)); do
    [ "$(cat $(sys)/sync_action 2>/dev/null || echo idle)" = idle ] && return
    sleep 0.2
  done
  fail "not idle after two minutes"
}

content() { sha256sum $MD | cut -d' ' -f1; }
