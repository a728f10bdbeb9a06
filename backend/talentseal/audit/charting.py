"""The log's growth as a chart."""

from talentseal.audit.history import Growth, Step
from talentseal.clock import SHANGHAI
from talentseal.web import charts
from talentseal.web.charts import Chart


def chart_of(growth: Growth) -> Chart:
    """Entries added in each period, labelled by hour or by day."""
    pattern = "%H:%M" if growth.step is Step.HOUR else "%m-%d"
    return charts.bars(
        [(each.begins.astimezone(SHANGHAI).strftime(pattern), each.added) for each in growth.periods]
    )
