"""What billing refuses, each with its stable code. Its one rule: the sentence says what to do."""

from skypemgr.lib.errors import Conflict, ProductError


class CardNotAccepted(ProductError):
    """The gateway does not take this card."""

    code = "card_not_accepted"


class UnknownMethod(ProductError):
    """The company has no such payment method."""

    code = "unknown_payment_method"


class AmountRefused(ProductError):
    """The amount to buy is outside the limits or has too many decimals."""

    code = "invalid_amount"


class GatewayNotConfigured(ProductError):
    """The installation does not take payments this way."""

    code = "payment_method_unavailable"


class ConsentMissing(ProductError):
    """Auto-recharge was asked for without agreeing to its terms."""

    code = "consent_missing"


class ResolutionMissing(ProductError):
    """An incident was to be closed without a word."""

    code = "resolution_missing"


class NotCancellable(Conflict):
    """The purchase cannot be called off: it is paid, over, or on its way."""

    code = "purchase_not_cancellable"


class MethodInUse(Conflict):
    """The card pays for auto-recharge and cannot be removed."""

    code = "payment_method_in_use"


class MethodRemoved(Conflict):
    """The payment method was removed; another one is to be chosen."""

    code = "payment_method_removed"


class MethodUnsuitable(ProductError):
    """Auto-recharge cannot pay this way."""

    code = "payment_method_unsuitable"


class ClosingRefused(Conflict):
    """The company cannot be closed yet; ``code`` says what to end first."""

    code = "closing_refused"


class BillingDetailsMissing(ProductError):
    """An invoice needs details that the company has not given; ``fields`` names them."""

    code = "billing_details_missing"


class PurchasesStopped(ProductError):
    """The operator stopped purchases, of this company or of all."""

    code = "purchases_stopped"


class NoVatNumber(ProductError):
    """The company has no VAT number of its country."""

    code = "no_vat_number"


class ReasonMissing(ProductError):
    """The operator decided without a word of why."""

    code = "reason_missing"


class UnknownTransfer(ProductError):
    """No purchase by bank transfer has this number."""

    code = "unknown_transfer"


class LineDecided(Conflict):
    """The line of the bank statement is credited already."""

    code = "line_decided"


class TransferEnded(Conflict):
    """The purchase is paid already, or its transfer is awaited no more."""

    code = "transfer_ended"


class TransferDiffers(ProductError):
    """What arrived cannot be taken for what was expected."""

    code = "transfer_differs"


class PlanNotOffered(ProductError):
    """The plan is unknown, withdrawn, or has no price in the company's currency."""

    code = "plan_withdrawn"


class FeatureRefused(ProductError):
    """The feature cannot be given or changed; ``code`` says why."""

    code = "feature_not_allowed"


class NumberNotAvailable(ProductError):
    """The number is taken, not kept any more, or there are not enough."""

    code = "number_not_reserved"


class SettingsRefused(ProductError):
    """A phone system cannot be set that way; ``code`` says why."""

    code = "feature_missing"
