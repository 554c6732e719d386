# Functions that bootstrap.sh and upgrade.sh share, put into each by components/bootstrap/script.py.
# shellcheck shell=bash
# Needs: CONFIG, the folder of isostack's own files; KUBERNETES, that of kubeadm's; STEP, what the log names.

log() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "$STEP" "$*" >&2; }

die() {
  log "error: $*"
  exit 1
}

# retry TIMES PAUSE COMMAND...
retry() {
  local times=$1 pause=$2 i
  shift 2
  for ((i = 1; i < times; i++)); do
    "$@" && return
    log "attempt $i of $times failed: $*"
    sleep "$pause"
  done
  "$@"
}

# wait_until SECONDS WHAT COMMAND...
wait_until() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" &>/dev/null; do
    ((SECONDS < end)) || die "$what: not in time"
    sleep 5
  done
}

# at_least VERSION MINIMUM
at_least() { [[ -n $1 && $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

local_api_ready() {
  kubectl --kubeconfig "$KUBERNETES/admin.conf" --server "https://127.0.0.1:$API_PORT" --request-timeout 5s \
    get --raw /readyz
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get --yes -o DPkg::Lock::Timeout=600 -o APT::Update::Error-Mode=any \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# With the proxy of this place, if it has one. Nobody else gets it here: kubeadm would hand it on to its static pods.
outside() (
  if [[ -e $CONFIG/proxy.env ]]; then
    set -o allexport
    # shellcheck source=/dev/null
    . "$CONFIG/proxy.env"
  fi
  "$@"
)

# add_repository NAME KEY-URL REPOSITORY
add_repository() {
  install -d -m 0755 /etc/apt/keyrings
  retry 5 10 outside curl -fsSL --output "/etc/apt/keyrings/$1.asc" "$2"
  chmod 0644 "/etc/apt/keyrings/$1.asc"
  printf 'deb [signed-by=/etc/apt/keyrings/%s.asc] %s\n' "$1" "$3" >"/etc/apt/sources.list.d/$1.list"
  retry 5 15 apt_get update
}

# kubernetes_repository MINOR: each minor has its own.
kubernetes_repository() {
  local url="https://pkgs.k8s.io/core:/stable:/v$1/deb/"
  add_repository kubernetes "${url}Release.key" "$url /"
}

# install_kubernetes VERSION PACKAGE...: Kubernetes' own at this version, others as they are there, options of apt too.
install_kubernetes() {
  local version=$1 name packages=()
  shift
  for name in "$@"; do
    case $name in
      kubeadm | kubectl | kubelet) packages+=("$name=$version-*") ;;
      *) packages+=("$name") ;;
    esac
  done
  retry 3 15 apt_get install --allow-downgrades --allow-change-held-packages "${packages[@]}"
}

# No update of the system may take another version.
hold_kubernetes() {
  if dpkg --status kubelet &>/dev/null; then
    apt-mark hold kubeadm kubectl kubelet
  fi
}
