#!/usr/bin/env bash
# Makes this machine a node of its cluster: container runtime, Kubernetes packages, then kubeadm init or join.
# Reads /etc/isostack. Safe to run again: what is done is kept, and a node that is in the cluster stays in it.
# Says in /var/lib/isostack/done that the node is in, in /var/lib/isostack/failed which step broke.
set -Eeuo pipefail

readonly CONFIG=/etc/isostack STATE=/var/lib/isostack RUN=/run/isostack
readonly KUBERNETES=/etc/kubernetes LOG=/var/log/isostack-bootstrap.log
# Workers come up before a control plane on slow hosts: 15 to 40 minutes for a host to install and boot, and then some.
readonly WAIT_SECONDS=5400
# A control-plane join gets JOIN_SECONDS; its turn is taken away only later than that.
readonly JOIN_SECONDS=1500 TURN_SECONDS=1800 ATTEMPTS=5
readonly LEASE=isostack-control-plane-join
# kubeadm's own needs, and of volumes: nfs-common for NFS, lvm2 for Ceph. The same on every node, whatever its storage.
readonly PACKAGES=(ca-certificates conntrack curl ebtables ethtool jq lvm2 nfs-common socat)
readonly STEPS=(host clock swap kernel packages runtime kubernetes address platform cluster)
STEP=start

# shellcheck source=common.sh
. common.sh

# Runs on every exit, so that no failure goes without the name of its step.
finish() {
  local status=$?
  if ((status != 0)); then
    log "failed with exit status $status; run $0 again once the cause is gone"
    [[ -d $STATE ]] && printf '%s\n' "$STEP" >"$STATE/failed"
  fi
}

# kubeadm names the node all the same; but who looks for the machine by its name will not find it.
step_host() { [[ $(uname -n) =~ ^"$NODE_NAME"(\.|$) ]] || log "warning: this host is $(uname -n), not $NODE_NAME"; }

# Certificates are not valid yet on a machine whose clock is behind. Only a warning: some networks have no time server.
step_clock() {
  local i
  for ((i = 0; i < 24; i++)); do
    [[ $(timedatectl show --property NTPSynchronized --value) == yes ]] && return
    sleep 5
  done
  log "warning: the clock is not synchronised; it says $(date -u)"
}

step_swap() {
  swapoff --all
  if [[ -e /etc/fstab ]]; then
    sed -ri 's/^[^#].*[[:space:]]swap[[:space:]].*/# &/' /etc/fstab
  fi
  # Also what the fstab does not name: zram, partitions that systemd finds by itself.
  systemctl mask swap.target
}

step_kernel() {
  xargs modprobe --all </etc/modules-load.d/isostack.conf
  sysctl --quiet --load /etc/sysctl.d/99-isostack.conf
}

# What an image brings is not installed again, so that nodes without a way to the internet can do with a good image.
step_packages() {
  local missing=() name
  command -v dpkg >/dev/null || die "no dpkg: this script installs on Debian and Ubuntu"
  for name in "${PACKAGES[@]}"; do
    dpkg --status "$name" &>/dev/null || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  retry 5 15 apt_get update
  retry 3 15 apt_get install --no-install-recommends "${missing[@]}"
}

containerd_version() { containerd --version 2>/dev/null | sed -rn 's/.* v?([0-9]+\.[0-9]+\.[0-9]+).*/\1/p'; }

step_runtime() {
  if ! at_least "$(containerd_version || true)" "$CONTAINERD_MINIMUM"; then
    local ID VERSION_CODENAME
    # shellcheck source=/dev/null
    . /etc/os-release
    local url="https://download.docker.com/linux/$ID"
    add_repository docker "$url/gpg" "$url $VERSION_CODENAME stable"
    retry 3 15 apt_get install "containerd.io=$CONTAINERD.*"
    apt-mark hold containerd.io
  fi
  install -d -m 0755 /etc/containerd/certs.d
  # The configuration was there before the package: a running containerd may not have read it, nor systemd its unit.
  systemctl daemon-reload
  systemctl enable containerd
  systemctl restart containerd
  retry 12 5 ctr version >/dev/null
}

installed() {
  [[ $(kubeadm version --output short) == "v$KUBERNETES_VERSION" ]] &&
    [[ $(kubelet --version) == "Kubernetes v$KUBERNETES_VERSION" ]] &&
    command -v kubectl crictl
}

step_kubernetes() {
  if ! installed &>/dev/null; then
    kubernetes_repository "$KUBERNETES_MINOR"
    install_kubernetes "$KUBERNETES_VERSION" kubeadm kubectl kubelet cri-tools kubernetes-cni
  fi
  hold_kubernetes
  systemctl enable kubelet
}

# The address that the default route leaves from; 192.0.2.1 is nobody's (RFC 5737), so no nearer route catches it.
step_address() {
  local i
  for ((i = 0; i < 30; i++)); do
    NODE_IP=$(ip -4 -o route get 192.0.2.1 2>/dev/null | sed -rn 's/.* src ([0-9.]+).*/\1/p') || true
    [[ -n $NODE_IP ]] && break
    sleep 2
  done
  [[ -n $NODE_IP ]] || die "no default route, so no node address"
  [[ $NODE_IP != "$ENDPOINT" ]] || die "the default route leaves from $ENDPOINT, which is the API's own address"
  log "node address $NODE_IP"
}

# What only this platform can tell: a script of its own, which may set BGP_PEERS, BGP_AS and BGP_SOURCE.
step_platform() {
  if [[ -e $CONFIG/platform.sh ]]; then
    # shellcheck source=/dev/null
    . "$CONFIG/platform.sh"
  fi
}

# fill TARGET TEMPLATE...: the templates as documents of one file, with what only the running machine knows.
fill() {
  local target=$1 template text
  shift
  : >"$target.new"
  chmod 0600 "$target.new"
  for template in "$@"; do
    text=$(<"$template")
    text=${text//@NODE_IP@/"$NODE_IP"}
    text=${text//@KUBECONFIG@/"${KUBECONFIG_FILE:-}"}
    text=${text//@BGP_PEERS@/"${BGP_PEERS:-}"}
    text=${text//@BGP_AS@/"${BGP_AS:-}"}
    text=${text//@BGP_SOURCE@/"${BGP_SOURCE:-}"}
    [[ ! -s $target.new ]] || printf -- '---\n' >>"$target.new"
    printf '%s\n' "$text" >>"$target.new"
  done
  mv "$target.new" "$target"
}

# Through the API's own address and with the CA checked: an answer there means that the control plane serves.
api_ready() { kubectl --kubeconfig "$CONFIG/kubeadm/discovery.yaml" --request-timeout 5s get --raw /readyz; }

# The node is in the cluster and, on the control plane, all of kubeadm's last phase is done.
joined() {
  local labels
  [[ -e $KUBERNETES/kubelet.conf ]] || return 1
  labels=$(kubectl --kubeconfig "$KUBERNETES/kubelet.conf" --request-timeout 10s get node "$NODE_NAME" \
    --output 'jsonpath={.metadata.labels}') || return 1
  [[ $ROLE == worker || $labels == *node-role.kubernetes.io/control-plane* ]]
}

pull_images() {
  retry 5 15 kubeadm config images pull --config "$CONFIG/kubeadm/cluster.yaml"
  retry 5 15 crictl pull "$KUBE_VIP_IMAGE"
}

# kube_vip KUBECONFIG
kube_vip() {
  KUBECONFIG_FILE=$1
  install -d -m 0755 "$KUBERNETES/manifests"
  # Filled elsewhere: the kubelet reads whatever lies in the folder.
  fill "$RUN/kube-vip.yaml" "$CONFIG/kube-vip.yaml"
  install -m 0600 "$RUN/kube-vip.yaml" "$KUBERNETES/manifests/kube-vip.yaml"
}

# Only the first node makes a cluster, and only where there is none: built anew, it joins the one that its peers are.
# A second init would make a second cluster behind the same address and with the same CA.
must_init() {
  local i
  [[ $FIRST == yes ]] || return 1
  [[ -e $STATE/init-started ]] && return 0
  for ((i = 0; i < 3; i++)); do
    api_ready &>/dev/null && return 1
    sleep 5
  done
  return 0
}

# kubeadm init is repeated over what a broken attempt left, never after a reset: its phases take what is there, and a
# reset would delete an etcd that may be the cluster by now.
init_cluster() {
  local attempt name options=(--config "$RUN/init.yaml" --skip-token-print) leftovers=DirAvailable--var-lib-etcd
  for name in kube-apiserver kube-controller-manager kube-scheduler etcd; do
    leftovers+=",FileAvailable--etc-kubernetes-manifests-$name.yaml"
  done
  for name in "$API_PORT" 10250 10257 10259 2379 2380; do
    leftovers+=",Port-$name"
  done
  fill "$RUN/init.yaml" "$CONFIG/kubeadm/init.yaml" "$CONFIG/kubeadm/cluster.yaml"
  pull_images
  # Until init has bound the admins' group to its role, only super-admin.conf may take kube-vip's lease.
  kube_vip "$KUBERNETES/super-admin.conf"
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    [[ -e $STATE/init-started ]] && options+=("--ignore-preflight-errors=$leftovers")
    touch "$STATE/init-started"
    if kubeadm init "${options[@]}"; then
      touch "$STATE/initialised"
      return
    fi
    log "kubeadm init failed, attempt $attempt of $ATTEMPTS"
    sleep 15
  done
  die "kubeadm init failed $ATTEMPTS times"
}

# A client certificate from the CA on this node, since the bootstrap token may not touch leases.
admin_kubeconfig() {
  : >"$RUN/admin.conf"
  chmod 0600 "$RUN/admin.conf"
  kubeadm kubeconfig user --config "$CONFIG/kubeadm/cluster.yaml" --client-name "isostack:$NODE_NAME" \
    --org kubeadm:cluster-admins --validity-period 24h >"$RUN/admin.conf"
}

as_admin() { kubectl --kubeconfig "$RUN/admin.conf" --namespace kube-system --request-timeout 10s "$@"; }

# lease [RESOURCE-VERSION]
lease() {
  cat <<EOF
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: $LEASE
  namespace: kube-system
  resourceVersion: "${1:-}"
spec:
  holderIdentity: $NODE_NAME
  leaseDurationSeconds: $TURN_SECONDS
  renewTime: "$(date -u +%FT%T.000000Z)"
EOF
}

# Control-plane nodes join one at a time: etcd takes in one learner at once, and each join changes its quorum. The turn
# is a Lease: the API lets only one of several creators win, and of several who replace an old one only the first, since
# each names the version it read.
try_turn() {
  local holder since version
  lease | as_admin create --filename - &>/dev/null && return
  read -r holder since version < <(as_admin get lease "$LEASE" \
    --output 'jsonpath={.spec.holderIdentity} {.spec.renewTime} {.metadata.resourceVersion}{"\n"}') || return
  [[ -n $version ]] || return
  if [[ $holder != "$NODE_NAME" ]] && (($(date +%s) - $(date -d "$since" +%s) <= TURN_SECONDS)); then
    return 1
  fi
  lease "$version" | as_admin replace --filename -
}

give_turn() {
  [[ $ROLE == worker ]] || as_admin delete lease "$LEASE" --ignore-not-found || log "warning: the lease $LEASE is left"
}

# Clears what a broken join left, and on a control-plane node its half-made etcd member. The keys of the cluster stay:
# they came with the machine, and kubeadm would delete them with the folder.
reset_node() {
  local options=(--force)
  [[ $ROLE == worker ]] || options+=(--cert-dir "$RUN/none")
  kubeadm reset "${options[@]}" || log "warning: kubeadm reset failed"
}

join_cluster() {
  local attempt
  log "waiting for the API at $ENDPOINT:$API_PORT"
  wait_until "$WAIT_SECONDS" "no API at $ENDPOINT:$API_PORT" api_ready
  ! joined &>/dev/null || return 0
  fill "$RUN/join.yaml" "$CONFIG/kubeadm/join.yaml"
  if [[ $ROLE != worker ]]; then
    pull_images
    admin_kubeconfig
  fi
  if [[ -e $STATE/join-started ]]; then
    reset_node
  fi
  touch "$STATE/join-started"
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    [[ $ROLE == worker ]] || wait_until "$WAIT_SECONDS" "another node holds the lease $LEASE" try_turn
    if timeout "$JOIN_SECONDS" kubeadm join --config "$RUN/join.yaml"; then
      give_turn
      return
    fi
    log "kubeadm join failed, attempt $attempt of $ATTEMPTS"
    reset_node
    give_turn
    # Longer than a node that came up and was reset stays Ready: a Ready namesake may not join.
    sleep $((60 + RANDOM % 30))
  done
  die "kubeadm join failed $ATTEMPTS times; was the bootstrap token deleted?"
}

step_cluster() {
  install -d -m 0700 "$RUN"
  if must_init; then
    [[ -e $STATE/initialised ]] || init_cluster
  else
    join_cluster
  fi
  if [[ $ROLE != worker ]]; then
    # After a join, never before it: with BGP the address lies on this node's loopback at once, and the node would look
    # for the cluster on itself. After init, admin.conf is enough and super-admin.conf too much.
    kube_vip "$KUBERNETES/admin.conf"
    wait_until 600 "the API server of this node" local_api_ready
  fi
  wait_until 600 "no API at $ENDPOINT:$API_PORT" api_ready
  wait_until 300 "the node $NODE_NAME in the cluster" joined
}

main() {
  install -d -m 0700 "$STATE"
  exec 9>"$STATE/lock"
  flock --nonblock 9 || die "another run is under way"
  if [[ -e $STATE/done ]]; then
    log "the node is in its cluster since $(<"$STATE/done")"
    return
  fi
  # shellcheck source=/dev/null
  . "$CONFIG/node.env"
  for STEP in "${STEPS[@]}"; do
    log "begins"
    "step_$STEP"
  done
  date -u +%FT%TZ >"$STATE/done"
  rm -f "$STATE/failed"
  log "the node is in its cluster"
}

trap finish EXIT
touch "$LOG"
chmod 0600 "$LOG"
exec > >(tee -a "$LOG") 2>&1
main "$@"
