"""Everything the nemesis can do."""

from proofs.chaos.faults.by_hand import (
    ClaimsPaused,
    GuardByHand,
    LoansLocked,
    RowByHand,
    SchemaByHand,
    SettingsDiffer,
)
from proofs.chaos.faults.fault import Fault, Target
from proofs.chaos.faults.markets import (
    MarketDown,
    MarketLies,
    MarketsDown,
    MarketsDownForLong,
    MarketsFail,
    MarketsPayLess,
)
from proofs.chaos.faults.messaging import AwsFails, AwsForgets, AwsHangs, AwsRefuses, EmulatorEmptied
from proofs.chaos.faults.prices import (
    MarketAstray,
    MarketJumps,
    MarketsSilent,
    PricesDoubled,
    PricesMalformed,
    PricesPoisoned,
    PricesReordered,
    QuoteFromTheFuture,
)
from proofs.chaos.faults.processes import (
    BeatFrozen,
    BeatKilled,
    MaintenanceUnserved,
    PollerStopped,
    PricesWorkerKilled,
    ReplayWorkerFrozen,
    RiskWorkerFrozen,
    RiskWorkerKilled,
    SalesWorkerFrozen,
    SalesWorkerKilled,
    TwoBeats,
    WebFrozen,
    WebKilled,
)
from proofs.chaos.faults.servers import ConnectionsTerminated, PostgresStopped, ValkeyFlushed, ValkeyKilled
from proofs.chaos.faults.whole_bank import DatabaseRestored, StandbyPromoted

__all__ = ["ALARMS", "EVERY", "FAULTS", "Fault", "Target"]

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

#: Each is left as it is until its alerts fire. All alerts of deploy/prometheus are among theirs; the slowest come last.
ALARMS: dict[str, type[Fault]] = {
    fault.name: fault
    for fault in (
        BeatFrozen,
        WebFrozen,
        ReplayWorkerFrozen,
        PollerStopped,
        RiskWorkerFrozen,
        ValkeyKilled,
        PostgresStopped,
        AwsRefuses,
        EmulatorEmptied,
        PricesMalformed,
        MarketsSilent,
        MarketAstray,
        MarketJumps,
        ClaimsPaused,
        SettingsDiffer,
        GuardByHand,
        RowByHand,
        SchemaByHand,
        LoansLocked,
        MarketLies,
        MarketsPayLess,
        SalesWorkerFrozen,
        AwsForgets,
        MarketsDownForLong,
        MaintenanceUnserved,
        DatabaseRestored,
    )
}
EVERY = FAULTS | ALARMS
