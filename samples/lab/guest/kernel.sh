# Runs one of our programs with a kernel of ours in it. Drives have links by their serial numbers, as udev makes them,
# in /dev/disk/by-id: the kernel numbers controllers as they come. The expectations of this test are where Java is, its
# class path, the program's class, and options of Java.
. "$(dirname "$0")/md.sh"

{ read -r java && read -r classes && read -r program && read -r options; } <"$HOME_OF_LAB/expected.txt" ||
  fail "no program"

links=/dev/disk/by-id
mkdir -p $links
mkfifo /run/never && exec {never}<>/run/never || fail "fifo"

link_drives() {
  local block serial link
  for link in $links/nvme-*; do
    [ -L "$link" ] && [ ! -e "$link" ] && rm -f "$link"
  done
  for block in /sys/block/nvme*n1; do
    read -r serial <"$block/device/serial" || continue
    link=$links/nvme-$serial
    [ "$link" -ef "/dev/${block##*/}" ] || ln -sfn "/dev/${block##*/}" "$link"
  done 2>/dev/null
}

link_drives
while :; do
  read -r -t 0.2 -u "$never"
  link_drives
done &
linker=$!

"$java/bin/java" $options -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED \
  -cp "$classes" "dev.arraywright.lab.$program" || fail "java"
kill $linker
