# shellcheck shell=bash
# Sourced by bootstrap.sh on control-plane nodes. Equinix Metal tells a machine its routers in its own metadata; they are
# reached through the private gateway [seen] github.com/kubernetes-sigs/cloud-provider-equinix-metal README.md.
bgp_from_metadata() {
  local metadata gateway peer private='.network.addresses[] | select(.public == false and .address_family == 4)'
  metadata=$(retry 10 5 curl -fsS https://metadata.platformequinix.com/metadata)
  gateway=$(jq -er "[$private][0].gateway" <<<"$metadata")
  # shellcheck disable=SC2034 # bootstrap.sh reads all three
  BGP_AS=$(jq -er '.bgp_neighbors[0].customer_as' <<<"$metadata")
  # shellcheck disable=SC2034
  BGP_SOURCE=$(jq -er '.bgp_neighbors[0].customer_ip' <<<"$metadata")
  # shellcheck disable=SC2034
  BGP_PEERS=$(jq -er '.bgp_neighbors[0] as $n
    | [$n.peer_ips[] | "\(.):\($n.peer_as):\($n.md5_password // ""):true"] | join(",")' <<<"$metadata")
  {
    printf '[Unit]\nAfter=network-online.target\nWants=network-online.target\n[Service]\nType=oneshot\n'
    for peer in $(jq -er '.bgp_neighbors[0].peer_ips[]' <<<"$metadata"); do
      printf 'ExecStart=/sbin/ip route replace %s via %s\n' "$peer" "$gateway"
    done
    printf '[Install]\nWantedBy=multi-user.target\n'
  } >/etc/systemd/system/isostack-bgp-routes.service
  systemctl daemon-reload
  systemctl enable isostack-bgp-routes.service
  systemctl restart isostack-bgp-routes.service
}

bgp_from_metadata
