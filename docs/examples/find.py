"""Prints the URL of each rotoclear server that is found in the local network."""

import time

from zeroconf import ServiceBrowser, ServiceListener, Zeroconf


class Found(ServiceListener):
    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        info = zc.get_service_info(type_, name)
        if info is not None:
            text = info.decoded_properties
            scheme = "wss" if text["tls"] == "1" else "ws"
            host = (info.server or "").rstrip(".")
            print(f"{scheme}://{host}:{info.port}{text['path']}", *info.parsed_addresses())

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        print(f"gone: {name}")


browser = ServiceBrowser(Zeroconf(), "_rotoclear._tcp.local.", Found())
time.sleep(3)
