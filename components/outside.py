"""How machines reach the world outside, as a target config says it: mirrors of image registries, a proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field

from components.networks import Taken, server
from components.problems import Fault
from components.spec import Model

_NAME = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"{_NAME}(\.{_NAME})*(:[1-9][0-9]{{0,4}})?")
_DOMAIN = re.compile(rf"\.?{_NAME}(\.{_NAME})*")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_CERTIFICATES = re.compile(r"(\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+")


def _registry(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise Fault(f"{text!r} is not the name of a registry", "write it as images do, for example docker.io")
    return text


def _mirror(text: str) -> str:
    right = "for example https://mirror.example.com or https://mirror.example.com/v2/dockerhub"
    if text.startswith("http://"):
        # What is pulled runs as root on every node, and a tag says nothing of what it should hold.
        raise Fault(f"{text!r} does not prove whose images come", "use https; a CA of your own goes into registryCa")
    if not text.startswith("https://"):
        raise Fault(f"{text!r} is not the URL of a mirror", right)
    _without_credentials(text, "let the mirror know machines by their addresses")
    host, _, path = text.removeprefix("https://").partition("/")
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(f"/{path}" if path else ""):
        raise Fault(f"{text!r} is not the URL of a mirror", right)
    return text


def _mirrors(urls: tuple[str, ...]) -> tuple[str, ...]:
    """Of a file in which a mirror stands twice containerd reads nothing at all, and says so in its log alone."""
    for i, url in enumerate(urls):
        if url in urls[:i]:
            raise Fault(f"{url!r} stands twice", "name each mirror once")
    return urls


def _authority(text: str) -> str:
    right = "paste the PEM of the CA: BEGIN CERTIFICATE to END CERTIFICATE"
    if "PRIVATE KEY" in text:
        raise Fault("a private key stands in it, which all who read this file can read", f"{right}, and change the key")
    if not _CERTIFICATES.fullmatch(text):
        raise Fault("not a certificate in PEM", right)
    import ssl  # 10 ms, and few stacks have such a CA

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except ssl.SSLError as error:
        raise Fault(f"no certificate can be read in it ({error.reason})", right) from None
    return f"{text.strip()}\n"


def _proxy(text: str) -> str:
    right = "for example http://proxy.example.com:3128"
    _without_credentials(text, "let the proxy know machines by their addresses")
    scheme, slashes, host = text.partition("://")
    if scheme not in ("http", "https") or not slashes or not _HOST.fullmatch(host.removesuffix("/")):
        raise Fault(f"{text!r} is not the URL of a proxy", right)
    if ":" not in host:
        # 1080 to curl [documented] https://curl.se/docs/manpage.html#-x; 80 to Go and apt.
        raise Fault(f"{text!r} names no port, and each program assumes another one", right)
    return text.removesuffix("/")


def _without_credentials(text: str, right: str) -> None:
    """The text is not shown again."""
    if "@" in text:
        what = "credentials in a URL: plans, stack files and user data show them to all who can read those"
        raise Fault(what, right)


def _direct(text: str) -> str:
    right = "write a host, a domain (.example.com), an address or a network (10.20.0.0/16)"
    if re.fullmatch(r"[0-9./]+", text):
        try:
            return str(IPv4Network(text)) if "/" in text else str(IPv4Network(text)[0])
        except ValueError:
            raise Fault(f"{text!r} is neither an address nor a network", right) from None
    if not _DOMAIN.fullmatch(text):
        raise Fault(f"{text!r} is nothing that can be reached without the proxy", right)
    return text


Registry = Annotated[str, AfterValidator(_registry)]
MirrorUrl = Annotated[str, AfterValidator(_mirror)]
Mirrors = Annotated[tuple[MirrorUrl, ...], Field(min_length=1), AfterValidator(_mirrors)]
Authority = Annotated[str, AfterValidator(_authority)]
ProxyUrl = Annotated[str, AfterValidator(_proxy)]
Direct = Annotated[str, AfterValidator(_direct)]


class Proxy(Model):
    """The proxy by which machines load packages and images. Pods do not get it, nor do kubeadm and the kubelet."""

    http: ProxyUrl | None = Field(
        None, description="Of http URLs. None: these go there directly.", examples=["http://proxy.example.com:3128"]
    )
    https: ProxyUrl | None = Field(
        None, description="Of https URLs. None: these go there directly.", examples=["http://proxy.example.com:3128"]
    )
    no_proxy: tuple[Direct, ...] = Field(
        (),
        description="What is reached without it: hosts, domains with a leading dot, addresses, networks. The cluster's "
        "own are always. apt knows whole hosts alone.",
        examples=[["mirror.example.com", ".corp.example.com", "10.20.0.0/16"]],
    )


def networks(mirrors: Mapping[str, tuple[str, ...]], proxy: Proxy | None) -> Iterator[Taken]:
    """The servers that these name by address."""
    for registry, urls in mirrors.items():
        for i, url in enumerate(urls):
            yield from server(url, f"the mirror of {registry}", ("registryMirrors", registry, i))
    by_scheme = {"http": proxy.http, "https": proxy.https} if proxy else {}
    for scheme, proxy_url in by_scheme.items():
        yield from server(proxy_url or "", f"the {scheme} proxy", ("proxy", scheme))
