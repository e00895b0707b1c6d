"""Configuration and composition. Loads the Celery application and nothing else."""

from skypemgr.celery import app as celery_app

__all__ = ["celery_app"]
