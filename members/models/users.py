"""Logins.

Its one rule: a sign-in name (address, phone, user name) is unique over the installation.
"""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

USERNAME_FORM = RegexValidator(
    r"^[a-z][a-z0-9._-]{2,63}\Z",
    _("Use 3 to 64 letters, digits, dots, dashes or underscores, starting with a letter."),
)


class UserManager(BaseUserManager["User"]):
    """Makes logins; user names are kept in lower case."""

    def create_user(
        self,
        username: str | None = None,
        email: str = "",
        password: str | None = None,
        **fields: Any,
    ) -> "User":
        """A saved login; without a password it cannot sign in until one is set."""
        user = self.model(
            username=username.lower() if username else None,
            email=self.normalize_email(email),
            **fields,
        )
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "User":
        """A saved operator."""
        return self.create_user(
            username, email, password, is_staff=True, is_superuser=True, **fields
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A login. What it may do follows from its place in a company, never from here.

    ``email`` mirrors allauth's primary address; ``phone`` is E.164 and usable for sign-in only
    once ``phone_verified``. ``language`` and ``time_zone`` empty mean: as the company.
    """

    username = models.CharField(
        _("user name"),
        max_length=64,
        null=True,
        blank=True,
        unique=True,
        validators=[USERNAME_FORM],
    )
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = PhoneNumberField(_("phone number"), null=True, blank=True)
    phone_verified = models.BooleanField(default=False)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=5, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "phone", condition=models.Q(phone_verified=True), name="user_phone_unique"
            ),
            models.CheckConstraint(
                condition=~models.Q(username=""), name="user_username_not_empty"
            ),
        )

    def __str__(self) -> str:
        return self.name or self.username or self.email or str(self.phone or self.pk)

    def get_full_name(self) -> str:
        """The name as the person wrote it."""
        return self.name

    def get_short_name(self) -> str:
        """The first word of the name."""
        return self.name.split(" ", 1)[0]
