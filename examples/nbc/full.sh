#!/bin/sh
# The tables of the NBC paper, on real data. It takes hours; it may be stopped
# and started again at any time and goes on where it was.
#
#   examples/nbc/full.sh FOLDER [M1 M2 ...]
#
# Settings come from the environment; these are the defaults:
#   EPOCHS=20 EPS=0.3 EVAL=0.1,0.2,0.3 PER_CLASS=10 TIMEOUT=30s BETA=1 SUBSET=0
#   STEPS=10 DATA=mnist METHODS="ce trades madry rs nbc trades+nbc"
# For CIFAR-10: DATA=cifar-10 EPS=0.00784313725 EVAL=2/255 and C1.
# -valid is not used: all methods see the same images for as many epochs.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 FOLDER [ARCHITECTURE...]" >&2; exit 2; }
out=$1
shift
[ $# -gt 0 ] || set -- M1 M2
data=${DATA:-mnist}
methods=${METHODS:-ce trades madry rs nbc trades+nbc}
mkdir -p "$out"
vouch=${VOUCH:-$out/vouch}
[ -x "$vouch" ] || go build -o "$vouch" ./cmd/vouch
for arch in "$@"; do
	nets= names=
	for method in $methods; do
		name=$arch-$data-$method
		"$vouch" train -arch "$arch" -data "$data" -loss "$method" -eps "${EPS:-0.3}" -epochs "${EPOCHS:-20}" \
			-beta "${BETA:-1}" -steps "${STEPS:-10}" -subset "${SUBSET:-0}" -resume "$out/$name.run" -out "$out/$name.onnx"
		nets="$nets -net $out/$name.onnx"
		names="$names${names:+,}$method"
	done
	gains=
	case " $methods " in *" trades "*"trades+nbc "*) gains="-gains trades+nbc=trades" ;; esac
	# shellcheck disable=SC2086 # lists of flags
	"$vouch" eval $nets -names "$names" -data "$data" -eps "${EVAL:-0.1,0.2,0.3}" -per-class "${PER_CLASS:-10}" \
		-timeout "${TIMEOUT:-30s}" -csv "$out/$arch-$data.csv" -summary "$out/$arch-$data-table.csv" $gains \
		-markdown >"$out/$arch-$data.md"
	cat "$out/$arch-$data.md"
done
