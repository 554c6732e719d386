#!/usr/bin/env bash
# Brings this node to another release of Kubernetes, one minor at most and never back. Runs on the host, in the jobs that
# components/addons/upgrades.py plans:
#   upgrade.sh check    before the node is drained: refuses what cannot be, fetches what is needed, waits for others
#   upgrade.sh upgrade  on the drained node: kubeadm upgrade, kubelet; ends when the node is Ready again
# Environment: SYSTEM_UPGRADE_PLAN_LATEST_VERSION, the release; RELEASE, the node label that names a node's; EXCLUDE, the
# label of a node that is not fenced, empty where none is; TRIES, of the job; TOKEN, which may list and patch nodes. Safe
# to run again: what is done is kept.
set -Eeuo pipefail

readonly CONFIG=/etc/isostack STATE=/var/lib/isostack RUN=/run/isostack
readonly KUBERNETES=/etc/kubernetes LOG=/var/log/isostack-upgrade.log
readonly VERSION=$SYSTEM_UPGRADE_PLAN_LATEST_VERSION
# As long as kubeadm waits for a control plane that comes up on slow disks.
readonly READY_SECONDS=600
# Of a node that the script keeps from being fenced, beside the label: one that has the label alone was given it by
# somebody else.
readonly EXCLUDED=isostack.io/excluded-for-upgrade
STEP=$1 POD=

# shellcheck source=../bootstrap/common.sh
. common.sh

finish() {
  local status=$?
  [[ -z $POD ]] || rm -f "$POD"
  if ((status != 0)) && [[ $STEP == check ]]; then
    log "failed with exit status $status: this node has not been drained, and runs what it ran"
  elif ((status != 0)); then
    log "failed with exit status $status: this node stays cordoned"
  fi
  if ((status != 0)); then
    log "The job tries $TRIES times; after that, mend what is said above, delete the job if it is there, and restart the" \
      "Deployment system-upgrade-controller"
    [[ -z $EXCLUDE ]] || log "If the node has the annotation $EXCLUDED, it is not fenced, until an upgrade ends well or" \
      "somebody takes it away: kubectl annotate node ${NODE_NAME:-NODE} $EXCLUDED-, kubectl label node" \
      "${NODE_NAME:-NODE} $EXCLUDE-"
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

# The kubelet may read no node but its own: the pod's service account may. Written anew by each step, since a pod that
# was killed leaves a token that is no longer good; what the step starts has no need of it.
become_pod() {
  install -d -m 0700 "$RUN"
  POD=$RUN/upgrade.conf
  (
    umask 077
    cat >"$POD" <<EOF
apiVersion: v1
kind: Config
clusters: [{name: this, cluster: {server: "https://$ENDPOINT:$API_PORT", certificate-authority: $KUBERNETES/pki/ca.crt}}]
users: [{name: pod, user: {token: "$TOKEN"}}]
contexts: [{name: this, context: {cluster: this, user: pod}}]
current-context: this
EOF
  )
  unset TOKEN
}

as_pod() { kubectl --kubeconfig "$POD" --request-timeout 10s "$@"; }

# wait_for WHAT COMMAND...: until it prints nothing. It may take hours, as a person may: a log says each minute why.
wait_for() {
  local what=$1 left
  shift
  until left=$("$@") && [[ -z $left ]]; do
    left=${left//$'\n'/, }
    log "waiting for $what: ${left:-no answer}"
    sleep 60
  done
}

# No kubelet may be newer than an API server, and any of them may answer it.
behind() {
  as_pod get nodes --selector "node-role.kubernetes.io/control-plane,$RELEASE!=$VERSION" --output name
}

readonly STATES='{.status.conditions[?(@.type=="Ready")].status}|{.spec.unschedulable}|{.spec.taints[*].key}'

# Nodes of the control plane, but for this one, that are away or about to go: etcd bears the loss of no second one.
away() {
  as_pod get nodes --selector node-role.kubernetes.io/control-plane --output \
    "jsonpath={range .items[*]}{.metadata.name}|$STATES{'\n'}{end}" |
    while IFS='|' read -r name ready cordoned taints; do
      [[ $name != "$NODE_NAME" ]] || continue
      [[ $ready == True ]] || echo "$name is not Ready"
      [[ $cordoned != true ]] || echo "$name is cordoned"
      [[ $taints != *node.kubernetes.io/out-of-service* ]] || echo "$name is out of service"
    done
}

# Of any node, this one too: kured asks nobody any more once it has its lock. It does not take it while a Plan applies:
# components/addons/reboots.py.
restarting() {
  as_pod --namespace kube-system get daemonset kured --ignore-not-found --output \
    'jsonpath={.metadata.annotations.weave\.works/kured-node-lock}'
}

wait_for_others() {
  wait_for "the rest of the control plane" away
  wait_for "kured, which holds its lock" restarting
}

# What an interrupted run has left half installed. Unlike apt, dpkg does not wait for its lock.
configured() {
  retry 40 15 env DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a
}

# All that comes from elsewhere, as long as the node serves: what cannot be fetched costs no drain. kubeadm is installed
# for it, which runs nowhere. What an image brings is not fetched.
fetch() {
  configured
  if [[ $(kubeadm version --output short) != "v$VERSION" || $(kubelet --version) != "Kubernetes v$VERSION" ]]; then
    kubernetes_repository "1.$(minor "$VERSION")"
    install_kubernetes "$VERSION" kubeadm
    install_kubernetes "$VERSION" --download-only kubelet kubectl cri-tools kubernetes-cni
  fi
  if [[ $ROLE != worker ]]; then
    retry 5 15 kubeadm config images pull --kubernetes-version "v$VERSION"
  fi
}

# A kubelet that restarts is not lost, nor is a node that a person mends after a failed upgrade.
exclude() {
  local now
  [[ -n $EXCLUDE ]] || return 0
  now=$(as_pod get node "$NODE_NAME" --output "jsonpath={.metadata.labels.${EXCLUDE//./\\.}}") || return
  [[ $now != true ]] || return 0
  as_pod patch node "$NODE_NAME" --type merge --patch \
    "{\"metadata\": {\"labels\": {\"$EXCLUDE\": \"true\"}, \"annotations\": {\"$EXCLUDED\": \"$VERSION\"}}}"
}

include() {
  local ours
  [[ -n $EXCLUDE ]] || return 0
  ours=$(as_pod get node "$NODE_NAME" --output "jsonpath={.metadata.annotations.${EXCLUDED//./\\.}}") || return
  [[ -n $ours ]] || return 0
  as_pod patch node "$NODE_NAME" --type merge --patch \
    "{\"metadata\": {\"labels\": {\"$EXCLUDE\": null}, \"annotations\": {\"$EXCLUDED\": null}}}"
}

step_check() {
  possible
  fetch
  [[ $ROLE != worker ]] || wait_for "the control plane" behind
  wait_for_others
  retry 12 10 exclude
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
  configured
  [[ $(kubeadm version --output short) == "v$VERSION" ]] || install_kubernetes "$VERSION" kubeadm
  wait_for_others
  kubeadm_upgrade
  if [[ $(kubelet --version) != "Kubernetes v$VERSION" ]]; then
    install_kubernetes "$VERSION" kubelet kubectl cri-tools kubernetes-cni
  fi
  hold_kubernetes
  systemctl daemon-reload
  systemctl restart kubelet
  if [[ $ROLE != worker ]]; then
    wait_until "$READY_SECONDS" "the API server of this node" local_api_ready
  fi
  wait_until "$READY_SECONDS" "the node Ready with kubelet $VERSION" ready
  retry 12 10 include
  log "the node has Kubernetes $VERSION"
}

main() {
  install -d -m 0700 "$STATE"
  exec 9>"$STATE/upgrade.lock"
  flock --wait 60 9 || die "another run is under way"
  # shellcheck source=/dev/null
  . "$CONFIG/node.env"
  become_pod
  "step_$STEP"
}

touch "$LOG"
chmod 0600 "$LOG"
exec > >(tee -a "$LOG") 2>&1
TEE=$!
trap finish EXIT
main
