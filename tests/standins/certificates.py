"""Real keys and certificates, as the tls provider makes them: what hangs on them can be put to use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CURVES: Mapping[str, ec.EllipticCurve] = {"P256": ec.SECP256R1(), "P384": ec.SECP384R1(), "P521": ec.SECP521R1()}
_NAMES = {
    "commonName": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "country": NameOID.COUNTRY_NAME,
}
_EXTENDED = {"client_auth": ExtendedKeyUsageOID.CLIENT_AUTH, "server_auth": ExtendedKeyUsageOID.SERVER_AUTH}
_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")


def private_key(inputs: Mapping[str, Any]) -> dict[str, Any]:
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if inputs["algorithm"] == "ECDSA":
        key = ec.generate_private_key(_CURVES[inputs.get("ecdsaCurve", "P224")])
        form = PrivateFormat.TraditionalOpenSSL
    elif inputs["algorithm"] == "RSA":
        key, form = rsa.generate_private_key(65537, int(inputs.get("rsaBits", 2048))), PrivateFormat.TraditionalOpenSSL
    else:
        raise ValueError(f"the stand-in makes no {inputs['algorithm']} keys")
    public = key.public_key()
    return {
        "privateKeyPem": key.private_bytes(Encoding.PEM, form, NoEncryption()).decode(),
        "privateKeyPemPkcs8": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "privateKeyOpenssh": key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
        "publicKeyPem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "publicKeyOpenssh": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
    }


def self_signed(inputs: Mapping[str, Any]) -> dict[str, Any]:
    key, name = _key(inputs["privateKeyPem"]), _name(inputs.get("subject", {}))
    return _certified(inputs, key.public_key(), name, name, key, [])


def request(inputs: Mapping[str, Any]) -> dict[str, Any]:
    key = _key(inputs["privateKeyPem"])
    built = x509.CertificateSigningRequestBuilder().subject_name(_name(inputs.get("subject", {})))
    if names := [x509.DNSName(name) for name in inputs.get("dnsNames", ())]:
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return {
        "certRequestPem": built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode(),
        "keyAlgorithm": "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "RSA",
    }


def locally_signed(inputs: Mapping[str, Any]) -> dict[str, Any]:
    asked = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
    authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
    key = _key(inputs["caPrivateKeyPem"])
    public: Any = asked.public_key()
    return _certified(inputs, public, asked.subject, authority.subject, key, list(asked.extensions))


MAKERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "PrivateKey": private_key,
    "SelfSignedCert": self_signed,
    "CertRequest": request,
    "LocallySignedCert": locally_signed,
}
"""By type of resource."""


def _certified(
    inputs: Mapping[str, Any], public: Any, subject: x509.Name, issuer: x509.Name, key: Any, more: list[Any]
) -> dict[str, Any]:
    start = datetime.now(UTC).replace(microsecond=0)
    end = start + timedelta(hours=int(inputs["validityPeriodHours"]))
    allowed, authority = set(inputs["allowedUses"]), bool(inputs.get("isCaCertificate"))
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                **{usage: usage in allowed for usage in _USAGES},
                key_cert_sign="cert_signing" in allowed,
                crl_sign="crl_signing" in allowed,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if extended := [_EXTENDED[use] for use in sorted(allowed) if use in _EXTENDED]:
        built = built.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if names := [x509.DNSName(name) for name in inputs.get("dnsNames", ())]:
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if inputs.get("setSubjectKeyId"):
        built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    for extension in more:
        built = built.add_extension(extension.value, critical=extension.critical)
    made = built.sign(key, hashes.SHA256())
    return {
        "certPem": made.public_bytes(Encoding.PEM).decode(),
        "readyForRenewal": False,
        "validityStartTime": start.isoformat(),
        "validityEndTime": end.isoformat(),
    }


def _key(pem: str) -> Any:
    return load_pem_private_key(pem.encode(), None)


def _name(subject: Mapping[str, Any]) -> x509.Name:
    return x509.Name([x509.NameAttribute(_NAMES[field], str(value)) for field, value in subject.items() if value])
