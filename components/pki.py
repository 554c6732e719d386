"""Keys and certificates of a cluster: made once, protected, kept by every later change."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import pulumi
import pulumi_random as random
import pulumi_tls as tls

from components.bootstrap.late import Late
from components.facts import PKI, PkiFacts

CA_HOURS, ADMIN_HOURS, RENEW_HOURS = 10 * 8760, 8760, 720
"""CAs live 10 years and admins' certificates one, as kubeadm's do [documented]
https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/; the admin's is renewed by the first `up`
in its last 30 days."""
CURVE = "P256"
"""Keys are ECDSA: the user data of a control-plane node carries eight of these files and must stay small."""
AUTHORITIES = {"ca": "kubernetes", "etcd-ca": "etcd-ca", "front-proxy-ca": "front-proxy-ca"}
"""Common names as kubeadm gives them."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: PEM texts."""

    key: pulumi.Output[str]
    crt: pulumi.Output[str]


class Pki(pulumi.ComponentResource):
    """All keys of one cluster."""

    def __init__(self, cluster: str, opts: pulumi.ResourceOptions) -> None:
        facts = PkiFacts(
            wanted={
                **{name: f"CA {common}, ECDSA {CURVE}, {CA_HOURS} h" for name, common in AUTHORITIES.items()},
                "sa": f"service-account key, ECDSA {CURVE}",
                "encryption": "32 random bytes for encryption at rest",
                "token": "bootstrap token",
                "admin": f"client certificate of kubeadm:cluster-admins, {ADMIN_HOURS} h",
            }
        ).props()
        super().__init__(PKI, f"{cluster}-pki", facts, opts)
        self._cluster = cluster
        self._kept = pulumi.ResourceOptions(parent=self, protect=True)
        self._authorities = {name: self._authority(name, common) for name, common in AUTHORITIES.items()}
        self._service_account = self._key("sa")
        encryption = random.RandomBytes(f"{cluster}-encryption", length=32, opts=self._kept)
        self._encryption = encryption.base64
        token_id = random.RandomString(f"{cluster}-token-id", length=6, special=False, upper=False, opts=self._kept)
        token = random.RandomPassword(f"{cluster}-token", length=16, special=False, upper=False, opts=self._kept)
        self._token = pulumi.Output.concat(token_id.result, ".", token.result)
        self._admin_key, self._admin_crt = self._admin()
        self.register_outputs(facts)

    @property
    def ca(self) -> pulumi.Output[str]:
        """PEM of the cluster's CA certificate."""
        return self._authorities["ca"].crt

    def late(self, endpoint: pulumi.Output[str]) -> pulumi.Output[Late]:
        """Everything user data needs at creation; a secret."""
        ca, etcd, proxy = (self._authorities[name] for name in AUTHORITIES)
        known = pulumi.Output.all(
            endpoint=endpoint,
            ca_crt=ca.crt,
            ca_key=ca.key,
            etcd_ca_crt=etcd.crt,
            etcd_ca_key=etcd.key,
            front_proxy_ca_crt=proxy.crt,
            front_proxy_ca_key=proxy.key,
            sa_pub=self._service_account.public_key_pem,
            sa_key=self._service_account.private_key_pem,
            encryption_key=self._encryption,
            token=self._token,
        )
        return pulumi.Output.secret(known.apply(lambda values: Late(**values)))

    def kubeconfig(self, server: pulumi.Output[str]) -> pulumi.Output[str]:
        """The admin's kubeconfig for the API at `server`, a secret. JSON is YAML."""
        parts = pulumi.Output.all(self._cluster, server, self.ca, self._admin_crt, self._admin_key)
        return pulumi.Output.secret(parts.apply(lambda values: _kubeconfig(*values)))

    def _key(self, name: str) -> tls.PrivateKey:
        return tls.PrivateKey(f"{self._cluster}-{name}", algorithm="ECDSA", ecdsa_curve=CURVE, opts=self._kept)

    def _authority(self, name: str, common: str) -> Authority:
        key = self._key(name)
        crt = tls.SelfSignedCert(
            f"{self._cluster}-{name}",
            private_key_pem=key.private_key_pem,
            subject=tls.SelfSignedCertSubjectArgs(common_name=common),
            is_ca_certificate=True,
            set_subject_key_id=True,
            validity_period_hours=CA_HOURS,
            allowed_uses=["cert_signing", "digital_signature", "key_encipherment"],
            dns_names=[common],
            opts=self._kept,
        )
        return Authority(key.private_key_pem, crt.cert_pem)

    def _admin(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Key and certificate of the admin: the deployer owns the CA and needs no SSH to fetch admin.conf."""
        opts = pulumi.ResourceOptions(parent=self)
        name = f"{self._cluster}-admin"
        key = tls.PrivateKey(name, algorithm="ECDSA", ecdsa_curve=CURVE, opts=opts)
        subject = tls.CertRequestSubjectArgs(common_name="isostack-admin", organization="kubeadm:cluster-admins")
        request = tls.CertRequest(name, private_key_pem=key.private_key_pem, subject=subject, opts=opts)
        crt = tls.LocallySignedCert(
            name,
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=self._authorities["ca"].key,
            ca_cert_pem=self._authorities["ca"].crt,
            validity_period_hours=ADMIN_HOURS,
            early_renewal_hours=RENEW_HOURS,
            allowed_uses=["digital_signature", "key_encipherment", "client_auth"],
            opts=opts,
        )
        return key.private_key_pem, crt.cert_pem


def _kubeconfig(cluster: str, server: str, ca: str, crt: str, key: str) -> str:
    def data(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    user = f"admin@{cluster}"
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": data(ca)}}],
            "users": [{"name": user, "user": {"client-certificate-data": data(crt), "client-key-data": data(key)}}],
            "contexts": [{"name": user, "context": {"cluster": cluster, "user": user}}],
            "current-context": user,
        }
    )
