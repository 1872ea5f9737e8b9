"""Everything the nemesis can do."""

from proofs.chaos.faults.fault import Fault, Target
from proofs.chaos.faults.markets import MarketDown, MarketLies, MarketsDown, MarketsFail
from proofs.chaos.faults.messaging import AwsFails, AwsForgets, AwsHangs, AwsRefuses, EmulatorEmptied
from proofs.chaos.faults.prices import (
    PricesDoubled,
    PricesMalformed,
    PricesPoisoned,
    PricesReordered,
    QuoteFromTheFuture,
)
from proofs.chaos.faults.processes import (
    BeatFrozen,
    BeatKilled,
    PollerStopped,
    PricesWorkerKilled,
    RiskWorkerKilled,
    SalesWorkerKilled,
    TwoBeats,
    WebKilled,
)
from proofs.chaos.faults.servers import ConnectionsTerminated, PostgresStopped, ValkeyFlushed, ValkeyKilled
from proofs.chaos.faults.whole_bank import DatabaseRestored, StandbyPromoted

__all__ = ["FAULTS", "Fault", "Target"]

FAULTS: dict[str, type[Fault]] = {
    fault.name: fault
    for fault in (
        PricesWorkerKilled,
        RiskWorkerKilled,
        SalesWorkerKilled,
        WebKilled,
        BeatKilled,
        TwoBeats,
        PollerStopped,
        ValkeyKilled,
        ValkeyFlushed,
        PostgresStopped,
        ConnectionsTerminated,
        AwsRefuses,
        AwsHangs,
        AwsFails,
        AwsForgets,
        EmulatorEmptied,
        MarketsFail,
        MarketDown,
        MarketLies,
        MarketsDown,
        QuoteFromTheFuture,
        PricesDoubled,
        PricesReordered,
        PricesMalformed,
        PricesPoisoned,
        BeatFrozen,
        StandbyPromoted,
        DatabaseRestored,
    )
}
