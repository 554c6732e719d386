#!/usr/bin/env bash
# Brings this node to another release of Kubernetes, one minor at most and never back. Runs on the host, in the jobs that
# components/addons/upgrades.py plans:
#   upgrade.sh check    before the node is drained: refuses what cannot be; a worker waits for the control plane
#   upgrade.sh upgrade  on the drained node: packages, kubeadm upgrade, kubelet; ends when the node is Ready again
# Environment: SYSTEM_UPGRADE_PLAN_LATEST_VERSION, the release; RELEASE, the node label that names a node's; TOKEN, which
# may list nodes. Safe to run again: what is done is kept.
set -Eeuo pipefail

readonly CONFIG=/etc/isostack STATE=/var/lib/isostack RUN=/run/isostack
readonly KUBERNETES=/etc/kubernetes LOG=/var/log/isostack-upgrade.log
readonly VERSION=$SYSTEM_UPGRADE_PLAN_LATEST_VERSION
# As long as kubeadm waits for a control plane that comes up on slow disks.
readonly READY_SECONDS=600
STEP=$1

# shellcheck source=../bootstrap/common.sh
. common.sh

finish() {
  local status=$?
  rm -f "$RUN/upgrade.conf"
  if ((status != 0)) && [[ $STEP == check ]]; then
    log "failed with exit status $status: this node is left as it was"
  elif ((status != 0)); then
    log "failed with exit status $status: this node stays cordoned. The job tries three times; after that, mend what is" \
      "said above, delete the job if it is there, and restart the Deployment system-upgrade-controller"
  fi
  # With this process its container ends, and tee in it.
  exec >/dev/null 2>&1
  wait "$TEE" || true
}

# minor VERSION: 36 of 1.36.3
minor() { cut -d . -f 2 <<<"$1"; }

# Whether a node may come from where it is to where the spec is: kubeadm takes a minor at a time, and back is no way.
possible() {
  local now from to
  now=$(kubelet --version | sed -n 's/^Kubernetes v//p')
  [[ -n $now ]] || die "kubelet does not tell its version"
  from=$(minor "$now") to=$(minor "$VERSION")
  at_least "$VERSION" "$now" ||
    die "Kubernetes $now runs here and the spec says $VERSION: a node never goes back. Write $now or later there"
  ((to - from <= 1)) ||
    die "from Kubernetes $now to $VERSION is more than a minor: kubeadm takes one at a time. Let the spec say" \
      "1.$((from + 1)).x first, and $VERSION once all nodes have that"
  log "from Kubernetes $now to $VERSION"
}

# The kubelet may read no node but its own: the pod's service account may.
as_pod() {
  if [[ ! -e $RUN/upgrade.conf ]]; then
    install -d -m 0700 "$RUN"
    (
      umask 077
      cat >"$RUN/upgrade.conf" <<EOF
apiVersion: v1
kind: Config
clusters: [{name: this, cluster: {server: "https://$ENDPOINT:$API_PORT", certificate-authority: $KUBERNETES/pki/ca.crt}}]
users: [{name: pod, user: {token: "$TOKEN"}}]
contexts: [{name: this, context: {cluster: this, user: pod}}]
current-context: this
EOF
    )
  fi
  kubectl --kubeconfig "$RUN/upgrade.conf" --request-timeout 10s "$@"
}

# No kubelet may be newer than an API server, and any of them may answer it.
behind() {
  as_pod get nodes --selector "node-role.kubernetes.io/control-plane,$RELEASE!=$VERSION" --output name
}

step_check() {
  local left
  possible
  [[ $ROLE == worker ]] || return 0
  until left=$(behind) && [[ -z $left ]]; do
    log "waiting for the control plane: ${left:-no answer}"
    sleep 30
  done
}

as_admin() { kubectl --kubeconfig "$KUBERNETES/admin.conf" --request-timeout 10s "$@"; }

# The first of the control plane upgrades what the cluster shares, too. One that broke in the middle of it goes on with
# that, though the cluster may call itself upgraded by then.
must_apply() {
  local known
  [[ $ROLE != worker ]] || return 1
  [[ ! -e $STATE/upgrade-$VERSION ]] || return 0
  known=$(as_admin --namespace kube-system get configmap kubeadm-config --output 'jsonpath={.data.ClusterConfiguration}' |
    sed -n 's/^kubernetesVersion: *v//p')
  [[ -n $known ]] || die "the ConfigMap kubeadm-config does not tell the cluster's version"
  [[ $known != "$VERSION" ]]
}

# With the patches of bootstrap, or the node would lose what it keeps for itself. CreateJob wants a node that takes any
# pod: here one is drained, and all others may belong to tenants.
kubeadm_upgrade() {
  local patches=(--patches "$KUBERNETES/patches")
  if must_apply; then
    touch "$STATE/upgrade-$VERSION"
    kubeadm upgrade apply "v$VERSION" --yes --ignore-preflight-errors CreateJob "${patches[@]}"
    rm "$STATE/upgrade-$VERSION"
  elif [[ $ROLE == worker ]]; then
    kubeadm upgrade node "${patches[@]}"
  else
    kubeadm upgrade node --ignore-preflight-errors CreateJob "${patches[@]}"
  fi
}

ready() {
  local told
  told=$(kubectl --kubeconfig "$KUBERNETES/kubelet.conf" --request-timeout 10s get node "$NODE_NAME" --output \
    'jsonpath={.status.nodeInfo.kubeletVersion} {.status.conditions[?(@.type=="Ready")].status}')
  [[ $told == "v$VERSION True" ]]
}

# kubeadm of the new release goes first, the kubelet last.
step_upgrade() {
  possible
  # What an interrupted run has left half installed.
  dpkg --configure -a
  if [[ $(kubeadm version --output short) != "v$VERSION" ]]; then
    kubernetes_repository "1.$(minor "$VERSION")"
    install_kubernetes "$VERSION" kubeadm
  fi
  kubeadm_upgrade
  if [[ $(kubelet --version) != "Kubernetes v$VERSION" ]]; then
    kubernetes_repository "1.$(minor "$VERSION")"
    install_kubernetes "$VERSION" kubelet kubectl cri-tools kubernetes-cni
  fi
  hold_kubernetes
  systemctl daemon-reload
  systemctl restart kubelet
  if [[ $ROLE != worker ]]; then
    wait_until "$READY_SECONDS" "the API server of this node" local_api_ready
  fi
  wait_until "$READY_SECONDS" "the node Ready with kubelet $VERSION" ready
  log "the node has Kubernetes $VERSION"
}

main() {
  install -d -m 0700 "$STATE"
  exec 9>"$STATE/upgrade.lock"
  flock --wait 60 9 || die "another run is under way"
  # shellcheck source=/dev/null
  . "$CONFIG/node.env"
  "step_$STEP"
}

touch "$LOG"
chmod 0600 "$LOG"
exec > >(tee -a "$LOG") 2>&1
TEE=$!
trap finish EXIT
main
