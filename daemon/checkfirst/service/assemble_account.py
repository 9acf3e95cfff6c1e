"""Learning the account's limits, put together."""

from pydantic import SecretStr

from checkfirst.policy.quota import Limits
from checkfirst.service.assemble import Parts
from checkfirst.service.assemble_sources import ANSWER_MARGIN_SECONDS
from checkfirst.service.supervise import Role
from checkfirst.sources.virustotal.account import Account
from checkfirst.sources.virustotal.client import Client
from checkfirst.store.allowances import Allowances
from checkfirst.store.ledger import Ledger


def account_roles(parts: Parts, key: SecretStr | None) -> list[Role]:
    """None where the settings name no account, or VirusTotal is not asked."""
    chosen = parts.settings.virustotal
    name = chosen.account
    if name is None or "virustotal" not in parts.settings.sources:
        return []
    allowances = Allowances(parts.database)
    timeout = chosen.timeout.total_seconds()

    async def learn(limits: Limits) -> bool:
        before = await allowances.get(name)
        await allowances.learn(name, limits, parts.clock.now())
        return before is None or before[0] != limits

    account = Account(
        name=name,
        api=Client(chosen.url, lambda: key, timeout),
        quota=Ledger(
            parts.database,
            parts.clock,
            Limits(chosen.per_minute, chosen.per_day, chosen.per_month),
            timeout + ANSWER_MARGIN_SECONDS,
            account=name,
        ),
        learn=learn,
        clock=parts.clock,
        on_event=parts.teller.source,
    )
    return [Role("account", account.run, vital=False, stage=1)]
