# The kernel's md goes on with what was interrupted on the host: expected.txt has a line for each array,
# "KIND SLICE LEVEL DEVICES SHA256". What it writes to the member concerned shows what it took as done.
. "$(dirname "$0")/md.sh"

whole() { [ "$(cat "$(sys)/degraded")" = 0 ] && idle; }
replaced() { grep -q faulty "$(sys)/dev-${loops[0]#/dev/}/state" && whole; }
while read -r kind slice level count expected; do
  loops=($(members "$slice" "$count"))
  case $kind in
    rebuild) member=${loops[count - 1]} others=("${loops[@]:1}") end=whole ;;
    replace) member=${loops[count - 1]} others=("${loops[@]}") end=replaced ;;
    away) member=${loops[1]} others=("${loops[0]}" "${loops[@]:2}") end=whole ;;
  esac
  mdadm --assemble --readonly --run $MD --quiet "${others[@]}" || fail "md does not assemble $slice"
  before=$(sectors 7 "$member")
  mdadm --readwrite $MD || fail "array $slice does not become writable"
  [ $kind != away ] || mdadm $MD --re-add "$member" || { dmesg | tail -5; fail "md does not re-add to $slice"; }
  until_so $end $end
  written=$((($(sectors 7 "$member") - before) * 512))
  [ "$(content)" = "$expected" ] || fail "$kind, array $slice, level $level: the content differs"
  echo "RESUMED $kind $slice level=$level written=$written mismatches=$(mismatches)"
  release "${loops[@]}"
done <"$HOME_OF_LAB/expected.txt"
