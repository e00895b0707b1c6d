"""``me/tokens`` and ``company/tokens``. Its one rule: the secret is in the first answer only."""

from typing import ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.api.authentication import ApiRequest
from members.api.base import Door
from members.api.permissions import ADMINISTRATORS, EVERYBODY
from members.api.schema import page_of, refusal
from members.models import ApiToken
from members.tokens import company_tokens, find_own_token, issue_token, own_tokens, revoke_token
from skypemgr.lib.rest import StrictSerializer


class TokenWish(StrictSerializer):
    """A token to make."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=ApiToken.Scope.choices), min_length=1, max_length=3
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class TokenAnswer(serializers.ModelSerializer[ApiToken]):
    """A token without its secret."""

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = (
            "id",
            "name",
            "scopes",
            "created_at",
            "expires_at",
            "last_used_at",
        )
        read_only_fields = fields


class NewTokenAnswer(TokenAnswer):
    """A token with its secret, which is never shown again."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenAnswer.Meta):
        fields = (*TokenAnswer.Meta.fields, "token")
        read_only_fields = fields


WISH_EXAMPLE = OpenApiExample(
    "A token to read with",
    value={"name": "Dashboard in the hall", "scopes": ["read"], "expires_at": None},
    request_only=True,
)


class OwnTokensDoor(Door):
    """The caller's own tokens."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": EVERYBODY, "POST": EVERYBODY}
    for_company = False

    @extend_schema(responses=page_of(TokenAnswer))
    def get(self, request: ApiRequest) -> Response:
        """The tokens in use, newest first."""
        tokens = company_tokens(request.actor) if self.for_company else own_tokens(request.actor)
        rows = TokenAnswer(tokens, many=True).data
        return Response({"results": rows, "next": None, "previous": None})

    @extend_schema(
        request=TokenWish,
        responses={201: NewTokenAnswer, 422: refusal(422, "invalid_token_request")},
        examples=[WISH_EXAMPLE],
    )
    def post(self, request: ApiRequest) -> Response:
        """Makes a token that may do no more than the one that asks; shows its secret once."""
        wish = TokenWish(data=request.data)
        wish.is_valid(raise_exception=True)
        token, secret = issue_token(
            actor=request.actor, for_company=self.for_company, **wish.validated_data
        )
        return Response({**TokenAnswer(token).data, "token": secret}, status=201)


class OwnTokenDoor(Door):
    """One of the caller's own tokens (or, for administrators, of the company's)."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"DELETE": EVERYBODY}

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, token_id: str) -> Response:
        """Revokes the token."""
        token = find_own_token(request.actor, int(token_id))
        revoke_token(actor=request.actor, token=token)
        return Response(status=204)


class CompanyTokensDoor(OwnTokensDoor):
    """The company's tokens, for phone systems."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ADMINISTRATORS, "POST": ADMINISTRATORS}
    for_company = True


class CompanyTokenDoor(OwnTokenDoor):
    """One of the company's tokens."""

    roles: ClassVar[dict[str, tuple[str, ...]]] = {"DELETE": ADMINISTRATORS}
