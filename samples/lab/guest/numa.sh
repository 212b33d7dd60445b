# Stacks devices over the drives of both nodes, and has NumaProbe ask for the nodes of all of them and of memory. Drives
# 0 and 2 hang on node 0, 1 and 3 on node 1. The expectations of this test are where Java is, and its class path.
. "$(dirname "$0")/md.sh"

{ read -r java && read -r classes; } <"$HOME_OF_LAB/expected.txt" || fail "no class path"

first=$(drive 0) second=$(drive 1)
devices=("drive0=$first" "drive1=$second" "drive2=$(drive 2)" "drive3=$(drive 3)")

members=($(members 15 4))
devices+=("loop1=${members[1]}")

mdadm --zero-superblock --quiet "${members[@]}" 2>/dev/null
mdadm --create /dev/md/one --run --quiet --level 1 --raid-devices 2 --bitmap none "${members[1]}" "${members[3]}" ||
  fail "md"
mdadm --create /dev/md/two --run --quiet --level 0 --raid-devices 2 "${members[0]}" "${members[2]}" || fail "md"
devices+=("md1=$(readlink -f /dev/md/one)" "md0=$(readlink -f /dev/md/two)")

sectors=$((SLICE / 512))
echo "0 $sectors linear $(drive 2) 0" | dmsetup create dm0 || fail "dmsetup"
echo -e "0 8192 linear $first $sectors\n8192 8192 linear $second $sectors" | dmsetup create mixed || fail "dmsetup"
dmsetup mknodes
devices+=("dm0=/dev/mapper/dm0" "mixed=/dev/mapper/mixed")

mkfs.ext4 -q /dev/md/one && mkdir -p /mnt/one && mount /dev/md/one /mnt/one || fail "mount"
truncate -s 1M /mnt/one/image /dev/shm/image
devices+=("file1=/mnt/one/image" "memory=/dev/shm/image")

"$java/bin/java" -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED \
  -cp "$classes" dev.arraywright.lab.NumaProbe "$second" "$(drive 3)" "${devices[@]}" || fail "java"
