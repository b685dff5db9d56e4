# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployment files: YAML, checked, turned into a model.

``load_deployment`` is the way in; what is wrong in a file is a DeploymentError of one sentence.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema
import yaml

from lab.assumed import Texts
from lab.contract import Account, Listener, Quotas, Timings
from lab.deployment.model import EndpointServer, LyncDeployment, group_name
from lab.deployment.store import CentralManagementStore, Entry, Replica
from lab.deployment.topology import (
    BUILDS,
    Computer,
    OtherServer,
    Person,
    Pool,
    Site,
    Topology,
    User,
    services_of,
)
from lab.objects.identity import IdentityError, canonical_identity
from lab.objects.nouns import NOUNS, SHIPPED_PROVIDERS, Noun
from lab.objects.types import InvalidCast
from lab.rbac import Role, roles_in
from lab.tables import table
from lab.windows.time_service import TimeServer
from lab.windows.w32tm import languages
from lab.windows.zones import parse_zone

UtcNow = Callable[[], datetime.datetime]


class DeploymentError(ValueError):
    """A deployment file is wrong; the text is one sentence that says where and what."""


_POWERSHELL = {"2010": "2.0", "2013": "4.0", "2015": "4.0", "2019": "5.1", "SE": "5.1"}
_MANAGEMENT_LISTENERS = (
    {"scheme": "https", "port": 8443, "authentication": ["negotiate", "ntlm", "kerberos", "basic"]},
)
_GROUPS = {"edge": "edges", "director": "directors", "mediation": "mediation"}
_COMPUTER_LISTENERS = (
    {"scheme": "https", "port": 5986, "authentication": ["negotiate", "ntlm", "kerberos", "basic"]},
    {"scheme": "http", "port": 5985, "authentication": ["negotiate", "ntlm", "kerberos"]},
)


def load_deployment(
    path: Path, monotonic: Callable[[], float] = time.monotonic, utc_now: UtcNow | None = None
) -> LyncDeployment:
    """The deployment of a file; ``monotonic`` is what its time goes by, ``utc_now`` true time."""
    try:
        with path.open(encoding="utf-8") as stream:
            document = yaml.safe_load(stream)
    except OSError as error:
        raise DeploymentError(f"{path}: cannot be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise DeploymentError(f"{path}: is not YAML: {' '.join(str(error).split())}.") from None
    try:
        return build_deployment(document, path.stem, monotonic, utc_now)
    except DeploymentError as error:
        raise DeploymentError(f"{path}: {error}") from None


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(table(Path(__file__).parent / "schema.yml"))


def build_deployment(
    document: Any,
    name: str = "deployment",
    monotonic: Callable[[], float] = time.monotonic,
    utc_now: UtcNow | None = None,
) -> LyncDeployment:
    """The deployment of a parsed document; raises DeploymentError."""
    if isinstance(document, dict) and isinstance(document.get("version"), int):
        document = {**document, "version": str(document["version"])}
    error = jsonschema.exceptions.best_match(_validator().iter_errors(document))
    if error is not None:
        raise DeploymentError(f"{_place(error)}{error.message}.")
    return _Builder(_generated(document), name, monotonic, utc_now or _utc_now).build()


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _place(error: jsonschema.ValidationError) -> str:
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    ).lstrip(".")
    return f"{path}: " if path else ""


def _generated(document: dict[str, Any]) -> dict[str, Any]:
    """The short form: ``generate`` makes so many sites and pools of the same kind."""
    short = document.get("generate")
    if short is None:
        if not document.get("sites") or not document.get("pools"):
            raise DeploymentError("sites and pools are needed, or generate, which makes them.")
        return document
    domain = document["domain"]
    site_count = short.get("sites", 1)
    sites: dict[str, Any] = {f"Site{number:02}": {} for number in range(1, site_count + 1)}
    pools = {}
    sizes = short.get("computers_per_pool", 1)
    sizes = sizes if isinstance(sizes, list) else [sizes]
    for number in range(1, short["pools"] + 1):
        size = sizes[(number - 1) % len(sizes)]
        pools[f"pool{number:03}.{domain}"] = {
            "site": f"Site{(number - 1) % site_count + 1:02}",
            "computers": [f"fe{number:03}-{member:02}" for member in range(1, size + 1)],
            "computer_endpoints": short.get("computer_endpoints", False),
        }
    return {
        **document,
        "sites": {**sites, **document.get("sites", {})},
        "pools": {**pools, **document.get("pools", {})},
        "users": [*_generated_users(short.get("users", 0), list(pools)), *document.get("users", ())],
        "central_management": document.get("central_management", f"pool001.{domain}"),
    }


def _generated_users(number: int, pools: Sequence[str]) -> Iterator[dict[str, Any]]:
    """They are spread over the pools."""
    for each in range(1, number + 1):
        yield {
            "name": f"user{each:05}",
            "display_name": f"User {each:05}",
            "pool": pools[each % len(pools)],
            "ou": "OU=Generated",
        }


class _Builder:
    def __init__(
        self, document: dict[str, Any], name: str, monotonic: Callable[[], float], utc_now: UtcNow
    ) -> None:
        self._document = document
        self._utc_now = utc_now
        self._name = document.get("name", name)
        self._monotonic = monotonic
        self._version: str = document["version"]
        self._domain: str = document["domain"].lower()
        self._netbios: str = document.get("netbios", self._domain.partition(".")[0]).upper()
        self._powershell = document.get("powershell", _POWERSHELL[self._version])

    def build(self) -> LyncDeployment:
        document = self._document
        roles = self._roles()
        people = [self._person(entry, self._netbios, self._domain, roles) for entry in document["accounts"]]
        topology = self._topology(roles)
        granted = self._granted()
        try:
            texts = Texts(document.get("texts"))
        except ValueError as error:
            raise DeploymentError(str(error)) from None
        deployment = LyncDeployment(
            name=self._name,
            version=self._version,
            build=document.get("build", BUILDS[self._version]),
            license=document.get("license", "volume"),
            topology=topology,
            people=people,
            roles=roles,
            store=self._store(topology),
            texts=texts,
            granted=granted,
            policy_lag_s=document.get("replication", {}).get("policy_lag_seconds", 0.0),
            time_servers=self._time_servers(),
            domain_controller=TimeServer(
                **{
                    "name": f"dc01.{self._domain}",
                    "address": "192.0.2.10",
                    **document.get("domain_controller", {}),
                }
            ),
            high_availability=document.get("high_availability", {}),
            traces=document.get("traces", ()),
            authority=f"{self._netbios.capitalize()} CA",
            **({"rolled_properties": rolled} if (rolled := self._document.get("rolled_properties")) else {}),
            monotonic=self._monotonic,
            utc_now=self._utc_now,
        )
        for (noun, _user), policy in granted.items():
            if f"tag:{policy.lower()}" not in deployment.store.state.get(noun, {}):
                raise DeploymentError(
                    f"users: there is no {noun.removeprefix('Cs')} Tag:{policy} in settings."
                )
        deployment.faults = document.get("faults", ())
        deployment.servers = self._servers(deployment)
        return deployment

    def _time_servers(self) -> dict[str, TimeServer]:
        entries = {"time.windows.com": {}, **self._document.get("time_servers", {})}
        return {
            name.lower(): TimeServer(**{"name": name, "address": f"192.0.2.{number}", **(facts or {})})
            for number, (name, facts) in enumerate(entries.items(), 101)
        }

    def _roles(self) -> dict[str, Role]:
        roles = roles_in(self._version)
        for name, entry in self._document.get("roles", {}).items():
            template = roles.get(entry["template"].lower())
            if template is None:
                raise DeploymentError(
                    f"roles.{name}: there is no role {entry['template']!r} to take as template."
                )
            roles[name.lower()] = Role(
                name=name,
                template=template.template,
                without=frozenset(command.lower() for command in entry.get("without", ())),
            )
        return roles

    def _person(
        self, entry: Mapping[str, Any], authority: str, suffix: str, roles: Mapping[str, Role]
    ) -> Person:
        for role in entry.get("roles", ()):
            if role.lower() not in roles:
                names = ", ".join(known.name for known in roles.values())
                raise DeploymentError(
                    f"accounts: {entry['name']} has the role {role!r}, but there are only {names}."
                )
        return Person(
            name=f"{authority}\\{entry['name']}",
            password=entry["password"],
            principal=f"{entry['name']}@{suffix.upper()}",
            roles=tuple(entry.get("roles", ())),
            refusal=entry.get("refusal"),
            remote_shell=entry.get("remote_shell", True),
            delegation=entry.get("delegation", False),
        )

    def _topology(self, roles: Mapping[str, Role]) -> Topology:
        document = self._document
        sites = {
            name.lower(): Site(
                name, **{key: (entry or {}).get(key) for key in ("description", "federation_route", "parent")}
            )
            for name, entry in document["sites"].items()
        }
        pools: dict[str, Pool] = {}
        for fqdn, entry in document["pools"].items():
            pools[fqdn.lower()] = self._front_end_pool(fqdn, entry, sites)
        for fqdn, entry in document.get("edges", {}).items():
            pools[fqdn.lower()] = self._edge_pool(fqdn, entry, sites, roles)
        self._check_references(pools, sites)
        master = document.get("central_management")
        if master is None:
            master = next(pool.fqdn for pool in pools.values() if pool.has_users)
        if master.lower() not in pools or not pools[master.lower()].has_users:
            raise DeploymentError(f"central_management: there is no Front End pool {master}.")
        second = document.get("second_master", master)
        if second.lower() not in pools:
            raise DeploymentError(f"second_master: there is no pool {second}.")
        masters = {master.lower(), second.lower()}
        services = [
            service for pool in pools.values() for service in services_of(pool, pool.fqdn.lower() in masters)
        ]
        sip_domains = tuple(document.get("sip_domains", (self._domain,)))
        return Topology(
            domain=self._domain,
            netbios=self._netbios,
            sip_domains=sip_domains,
            sites=sites,
            pools=pools,
            services=tuple(services),
            users=tuple(self._user(entry, sip_domains[0], pools) for entry in document.get("users", ())),
            central_management=pools[master.lower()].fqdn,
            others=tuple(self._others(pools, pools[master.lower()])),
        )

    def _others(self, pools: Mapping[str, Pool], master: Pool) -> Iterator[OtherServer]:
        """The SQL Servers of Enterprise pools, a file store and a gateway."""
        if self._document.get("other_servers") is False:
            return
        with_sql = {pool.sql_server.lower(): pool for pool in pools.values() if pool.kind == "enterprise"}
        for pool in with_sql.values():
            store = ("CentralManagementDatabase",) if pool.sql_server == master.sql_server else ()
            yield OtherServer(pool.sql_server, pool.site, ("UserDatabase", "ApplicationDatabase", *store))
        yield OtherServer(f"files.{self._domain}", master.site, ("FileStore",))
        yield OtherServer(f"gateway.{self._domain}", master.site, ("PstnGateway",))

    def _check_references(self, pools: Mapping[str, Pool], sites: Mapping[str, Site]) -> None:
        seen: dict[str, str] = {}
        for pool in pools.values():
            for computer in pool.computers:
                if computer.fqdn.lower() in seen:
                    raise DeploymentError(
                        f"{computer.fqdn} is a member of both {seen[computer.fqdn.lower()]} and {pool.fqdn}."
                    )
                seen[computer.fqdn.lower()] = pool.fqdn
            for key, referred in (("edge", pool.edge), ("next_hop", pool.next_hop), ("backup", pool.backup)):
                if referred is not None and referred.lower() not in pools:
                    raise DeploymentError(f"{pool.fqdn}: {key}: there is no pool {referred}.")
        for site in sites.values():
            if site.federation_route is not None and site.federation_route.lower() not in pools:
                raise DeploymentError(
                    f"sites.{site.name}: federation_route: there is no Edge pool {site.federation_route}."
                )
            if site.parent is not None and site.parent.lower() not in sites:
                raise DeploymentError(f"sites.{site.name}: parent: there is no site {site.parent}.")

    def _site_of(self, fqdn: str, entry: Mapping[str, Any], sites: Mapping[str, Site]) -> str:
        site = sites.get(entry["site"].lower())
        if site is None:
            raise DeploymentError(f"{fqdn}: there is no site {entry['site']}.")
        return site.name

    def _front_end_pool(self, fqdn: str, entry: Mapping[str, Any], sites: Mapping[str, Site]) -> Pool:
        edition = entry.get("edition", "enterprise")
        if edition == "standard" and len(entry["computers"]) != 1:
            raise DeploymentError(f"pools.{fqdn}: a Standard Edition server is a pool of one computer.")
        host = fqdn.partition(".")[0]
        return Pool(
            fqdn=fqdn,
            site=self._site_of(fqdn, entry, sites),
            kind=edition,
            computers=tuple(self._computers(fqdn, entry)),
            sql_server=entry.get(
                "sql_server", fqdn if edition == "standard" else f"sql-{host}.{self._domain}"
            ),
            edge=entry.get("edge"),
            backup=entry.get("backup"),
            management=entry.get("management", True),
            computer_endpoints=entry.get("computer_endpoints", True),
        )

    def _edge_pool(
        self, fqdn: str, entry: Mapping[str, Any], sites: Mapping[str, Site], roles: Mapping[str, Role]
    ) -> Pool:
        computers = tuple(self._computers(fqdn, entry))
        accounts = entry.get("accounts") or [{"name": "Administrator", "password": "Edge-Passw0rd"}]
        authority = computers[0].host_name.upper()
        return Pool(
            fqdn=fqdn,
            site=self._site_of(fqdn, entry, sites),
            kind="edge",
            computers=computers,
            next_hop=entry["next_hop"],
            access_edge_external_fqdn=entry.get("access_edge_external_fqdn", f"sip.{self._domain}"),
            accounts=tuple(self._person(account, authority, authority, roles) for account in accounts),
            management=False,
            computer_endpoints=entry.get("computer_endpoints", True),
        )

    def _computers(self, pool: str, entry: Mapping[str, Any]) -> Iterator[Computer]:
        for member in entry["computers"]:
            facts: Mapping[str, Any] = {"name": member} if isinstance(member, str) else member
            name = facts["name"]
            fqdn = name if "." in name else f"{name}.{self._domain}"
            listeners = facts.get("listeners", entry.get("listeners"))
            computer = Computer(
                fqdn=fqdn,
                pool=pool,
                powershell_version=facts.get("powershell", entry.get("powershell", self._powershell)),
                timings={
                    **self._document.get("timings", {}),
                    **entry.get("timings", {}),
                    **facts.get("timings", {}),
                },
                listeners=tuple(listeners) if listeners else None,
                windows={
                    key: _merged(
                        {"language": self._document.get("language", "en")} if key == "time_service" else {},
                        self._document.get(key, {}),
                        entry.get(key, {}),
                        facts.get(key, {}),
                    )
                    for key in ("clock", "time_service", "services", "certificates")
                },
            )
            _check_windows(fqdn, computer.windows)
            yield computer

    def _user(self, entry: Mapping[str, Any], sip_domain: str, pools: Mapping[str, Pool]) -> User:
        pool = pools.get(entry["pool"].lower())
        if pool is None or not pool.has_users:
            raise DeploymentError(
                f"users: {entry['name']} is homed on {entry['pool']}, which is no Front End pool."
            )
        name = entry["name"]
        display = entry.get("display_name", name)
        components = ",".join(f"DC={part}" for part in self._domain.split("."))
        container = entry.get("ou", "CN=Users")
        return User(
            sam_account_name=name,
            display_name=display,
            sip_address=f"sip:{entry.get('sip', f'{name}@{sip_domain}').removeprefix('sip:')}",
            pool=pool.fqdn,
            principal=f"{name}@{self._domain}",
            distinguished_name=f"CN={display},{container},{components}",
            enterprise_voice=entry.get("enterprise_voice", False),
            audio_video_disabled=entry.get("audio_video_disabled", False),
            attributes={key.lower(): text for key, text in entry.get("attributes", {}).items()},
        )

    def _granted(self) -> dict[tuple[str, str], str]:
        """By noun and lower-case name of the user."""
        found = {}
        for entry in self._document.get("users", ()):
            policies = dict(entry.get("policies", {}))
            if entry.get("external_access_policy"):
                policies["ExternalAccessPolicy"] = entry["external_access_policy"]
            for noun, policy in policies.items():
                bare = re.sub("^tag:", "", policy, flags=re.IGNORECASE)
                found[f"Cs{noun}", entry["name"].lower()] = bare
        return found

    def _store(self, topology: Topology) -> CentralManagementStore:
        state: dict[str, dict[str, Entry]] = {}
        for noun in NOUNS.values():
            defaults = MappingProxyType(noun.defaults(self._version))
            has_global = "global" in noun.scopes and not noun.has_items
            state[noun.name] = {"global": ("Global", defaults)} if has_global else {}
        settings = self._document.get("settings", {})
        if "PublicProvider" not in settings:
            for name, proxy in SHIPPED_PROVIDERS[self._version].items():
                self._put(state, NOUNS["CsPublicProvider"], topology, {"Identity": name, "ProxyFqdn": proxy})
        if "SipDomain" not in settings:
            for number, domain in enumerate(topology.sip_domains):
                self._put(
                    state, NOUNS["CsSipDomain"], topology, {"Identity": domain, "IsDefault": number == 0}
                )
        for key, entries in settings.items():
            found = NOUNS.get(f"Cs{key}") or NOUNS.get(key)
            if found is None:
                raise DeploymentError(f"settings: there is no noun {key}.")
            for entry in entries:
                self._put(state, found, topology, entry)
        replication = self._document.get("replication", {})
        speeds = {fqdn.lower(): value for fqdn, value in replication.get("replicas", {}).items()}
        usual = replication.get("seconds", 5.0)
        replicas = {}
        for computer in topology.computers():
            speed = speeds.pop(computer.fqdn.lower(), usual)
            stuck = speed == "never"
            replicas[computer.fqdn.lower()] = Replica(computer.fqdn, 0.0 if stuck else speed, stuck)
        if speeds:
            raise DeploymentError(f"replication: there is no computer {next(iter(speeds))}.")
        silent = "second_master" in self._document
        return CentralManagementStore(state, replicas, self._monotonic, self._utc_now, silent=silent)

    def _put(
        self, state: dict[str, dict[str, Entry]], noun: Noun, topology: Topology, entry: Mapping[str, Any]
    ) -> None:
        place = f"settings.{noun.name.removeprefix('Cs')}"
        try:
            identity = canonical_identity(str(entry["Identity"]), noun, topology)
        except IdentityError as error:
            raise DeploymentError(f"{place}: {entry['Identity']}: {error}") from None
        known = {p.name.lower(): p for p in noun.properties_in(self._version)}
        values = noun.defaults(self._version)
        if "name" in known and "Name" in values and not noun.is_policy:
            values["Name"] = identity.rpartition("/")[2]
        if "domain" in known and "Domain" in values:
            values["Domain"] = identity
        if noun.has_priority:
            scope = identity.rpartition("/")[0]
            values["Priority"] = sum(e[0].rpartition("/")[0] == scope for e in state[noun.name].values())
        values |= dict(state[noun.name].get(identity.lower(), ("", {}))[1])
        for key, value in entry.items():
            if key == "Identity":
                continue
            if key.lower() not in known:
                raise DeploymentError(
                    f"{place}: {identity} has no property {key} in version {self._version}."
                )
            try:
                values[known[key.lower()].name] = known[key.lower()].typed(value)
            except Exception as error:
                reason = (
                    str(error)
                    if isinstance(error, InvalidCast)
                    else f"{value!r} is not a {known[key.lower()].type}"
                )
                raise DeploymentError(f"{place}: {identity}: {key}: {' '.join(reason.split())}") from None
        state[noun.name][identity.lower()] = (identity, MappingProxyType(values))

    def _servers(self, deployment: LyncDeployment) -> Sequence[EndpointServer]:
        addresses = _addresses(self._document.get("network", "127.0.10"))
        wanted = self._document.get("inventory_account")
        people = list(deployment.people)
        if wanted is not None:
            people = [p for p in people if p.sam_account_name.lower() == wanted.lower()]
            if not people:
                raise DeploymentError(f"inventory_account: there is no account {wanted}.")
        usual = next((p for p in people if p.roles and p.refusal is None), people[0])
        servers = []
        for pool in deployment.topology.pools.values():
            if pool.management:
                servers.append(self._management_server(deployment, pool, next(addresses), usual))
            if pool.computer_endpoints:
                for computer in pool.computers:
                    servers.append(self._computer_server(deployment, pool, computer, next(addresses), usual))
        return servers

    def _management_server(
        self, deployment: LyncDeployment, pool: Pool, address: str, usual: Person
    ) -> EndpointServer:
        is_standard = pool.kind == "standard"
        host, _, rest = pool.fqdn.partition(".")
        entries = self._document.get("listeners", {}).get("management", _MANAGEMENT_LISTENERS)
        computer = pool.computers[0]
        return self._server(
            deployment,
            # A Standard Edition server has its pool's name: the two endpoints need two inventory names.
            name=f"{host}-management.{rest}" if is_standard else pool.fqdn,
            fqdn=pool.fqdn,
            address=address,
            computer=computer,
            people=deployment.people,
            listeners=[_listener(entry, ("/OcsPowershell",)) for entry in entries],
            groups=("management",),
            usual=usual,
            endpoint="management",
            path="OcsPowershell",
            members=pool.computers,
        )

    def _computer_server(
        self, deployment: LyncDeployment, pool: Pool, computer: Computer, address: str, usual: Person
    ) -> EndpointServer:
        local = [_local(person, computer) for person in pool.accounts] if pool.is_edge else deployment.people
        entries = computer.listeners or self._document.get("listeners", {}).get(
            "computers", _COMPUTER_LISTENERS
        )
        return self._server(
            deployment,
            name=computer.fqdn,
            fqdn=computer.fqdn,
            address=address,
            computer=computer,
            people=local,
            listeners=[_listener(entry, ("/wsman",)) for entry in entries],
            groups=(_GROUPS.get(pool.kind, "front_ends"), group_name(pool)),
            usual=local[0] if pool.is_edge else usual,
            endpoint="computers",
            path="wsman",
        )

    def _server(
        self,
        deployment: LyncDeployment,
        *,
        name: str,
        fqdn: str,
        address: str,
        computer: Computer,
        people: Sequence[Person],
        listeners: Sequence[Listener],
        groups: Sequence[str],
        usual: Person,
        endpoint: str,
        path: str,
        members: Sequence[Computer] = (),
    ) -> EndpointServer:
        accounts = [Account(p.name, p.password, p.principal, p.refusal) for p in people]
        pool = deployment.topology.pool(computer.pool)
        # An Edge stands in a workgroup, and so has no account in the realm.
        keytab = None if pool is None or pool.is_edge else self._document.get("keytab")
        return EndpointServer(
            deployment=deployment,
            name=name,
            fqdn=fqdn,
            address=address,
            computer=computer,
            people=people,
            listeners=listeners,
            groups=groups,
            timings=Timings(
                computer.timings.get("request_delay", 0.0), computer.timings.get("session_open_delay", 0.0)
            ),
            quotas=self._quotas(),
            keytab=keytab,
            accounts=accounts,
            inventory_account=next(a for a in accounts if a.name == usual.name),
            inventory_authentication=self._document.get("inventory", {}).get(endpoint, "negotiate"),
            inventory_variables={"ansible_psrp_path": path},
            members=members,
        )

    def _quotas(self) -> Quotas:
        try:
            return Quotas(**self._document.get("quotas", {}))
        except TypeError:
            known = ", ".join(Quotas.__dataclass_fields__)
            raise DeploymentError(f"quotas: the quotas are {known}.") from None


def _merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The later ones win, mapping by mapping."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = _merged(merged[key], value) if both else value
    return merged


def _check_windows(fqdn: str, windows: Mapping[str, Mapping[str, Any]]) -> None:
    depends_on = windows["services"].get("depends_on", {})
    try:
        TopologicalSorter(
            {name.lower(): [other.lower() for other in others] for name, others in depends_on.items()}
        ).prepare()
    except CycleError as error:
        circle = " on ".join(error.args[1])
        raise DeploymentError(f"{fqdn}: services.depends_on: {circle}.") from None
    for key in ("time_zone", "flipped_from"):
        zone = windows["clock"].get(key)
        if zone is not None and parse_zone(zone) is None:
            raise DeploymentError(f"{fqdn}: clock.{key}: Windows has no time zone {zone!r}.")
    language = windows["time_service"].get("language", "en")
    if language not in languages():
        raise DeploymentError(
            f"{fqdn}: time_service.language: there are only {', '.join(languages())}, not {language!r}."
        )


def _listener(entry: Mapping[str, Any], paths: tuple[str, ...]) -> Listener:
    facts = {key: value for key, value in entry.items() if key != "authentication"}
    if "authentication" in entry:
        facts["authentication"] = frozenset(entry["authentication"])
    return Listener(paths=paths, **facts)


def _local(person: Person, computer: Computer) -> Person:
    """An account of an Edge as that computer has it: in a workgroup each has its own."""
    host = computer.host_name.upper()
    sam = person.sam_account_name
    return replace(person, name=f"{host}\\{sam}", principal=f"{sam}@{host}")


def _addresses(network: str) -> Iterator[str]:
    """127.a.b.1 to .254, then the next third number, and so on."""
    first, second, third = (int(part) for part in network.split("."))
    while third <= 255:
        for last in range(1, 255):
            yield f"{first}.{second}.{third}.{last}"
        third += 1
    raise DeploymentError(f"network: {network} has no addresses left.")
