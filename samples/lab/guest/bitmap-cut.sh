# The kernel's md makes arrays with a write-intent bitmap, and the power goes while all of them are written to.
. "$(dirname "$0")/md.sh"

arrays=("0 1 2" "1 5 4" "2 6 4" "3 10 4")
for array in "${arrays[@]}"; do
  set -- $array
  MD=/dev/md/lab$1
  make "$@" internal
  first[$1]=${loops[0]}
done

tidy() { [ "$(dirty_bits "$1")" = 0 ]; }
for array in "${arrays[@]}"; do
  set -- $array
  MD=/dev/md/lab$1
  until_so tidy tidy "${first[$1]}"
  echo 60 >"$(sys)/safe_mode_delay"
  patch
  while :; do patch; done &
done

for array in "${arrays[@]}"; do
  set -- $array
  MD=/dev/md/lab$1
  echo "CUT $1 level=$2 dirty=$(dirty_bits "${first[$1]}") state=$(cat "$(sys)/array_state")"
done
echo "@@CUT"
sleep 60
