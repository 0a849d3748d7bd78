"""The Overview of a tunnel: what is wrong, the figures, the chart and who is connected."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from wsgui.engine.snapshot import ThroughputSnapshot, TunnelSnapshot, TunnelState
from wsgui.gui import formatting
from wsgui.gui.actions import Actions
from wsgui.gui.models.connections import ConnectionTableModel
from wsgui.gui.models.sessions import Session
from wsgui.gui.theme import GRID, Type, theme
from wsgui.gui.views.quiet import QuietCard, StartCard
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import Card, FigureCard, NoticeCard
from wsgui.gui.widgets.connection_table import ConnectionTable
from wsgui.gui.widgets.flow import CardGrid
from wsgui.gui.widgets.labels import Text
from wsgui.gui.widgets.throughput_chart import ThroughputChart
from wsgui.gui.wording import SERVING, Notice, Remedy, state_notice

ROWS_SHOWN = 5
LOW_WINDOW = 680
"""Below this height of the window (pixels at a text scale of 1) the chart is 140 px and the page scrolls."""
MOST_CHART = 640
"""More height tells no more (pixels at a text scale of 1)."""


class Overview(QScrollArea):
    """One scrolling page; parts that say nothing are hidden."""

    remedy_chosen = Signal(Remedy)
    all_wanted = Signal()
    new_wanted = Signal()

    def __init__(self, actions: Actions, model: ConnectionTableModel) -> None:
        super().__init__()
        self._actions = actions
        self._tunnel: TunnelSnapshot | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.state_notice = NoticeCard()
        self.refusal_notice = NoticeCard()
        self.state_notice.chosen.connect(self.remedy_chosen)
        self.refusal_notice.chosen.connect(self.remedy_chosen)
        self.start_card = StartCard()
        self.start_card.new_wanted.connect(self.new_wanted)
        self.quiet = QuietCard(actions)
        self.connections = FigureCard(self.tr("Connections"))
        self.to_clients = FigureCard(self.tr("To clients"), "accent")
        self.to_target = FigureCard(self.tr("To target"), "up")
        self.round_trip = FigureCard(self.tr("Round trip (median)"))
        self.transferred = FigureCard(self.tr("Transferred since start"))
        self.chart = ThroughputChart()
        self.table = ConnectionTable(model, most_rows=ROWS_SHOWN)
        self.table.disconnect_wanted.connect(self._disconnect)
        self.all = Button("", "foot")
        self.all.clicked.connect(self.all_wanted)
        self._nobody = Text(self.tr("Nobody is connected now."), Type.BODY, "dim")
        self._lay_out()

    def _lay_out(self) -> None:
        inside = QWidget()
        inside.setObjectName("scrolled")
        self.setWidget(inside)
        layout = QVBoxLayout(inside)
        # The scroll bar (10 px, invisible while there is nothing to scroll) stands in the right margin, and the
        # last spacing in the lower one, so that the cards stay in line with the header.
        layout.setContentsMargins(28, 12, 18, 8)
        layout.setSpacing(12)
        self._figures = QWidget()
        grid = CardGrid(12)
        self._figures.setLayout(grid)
        for card in (self.connections, self.to_clients, self.to_target, self.round_trip, self.transferred):
            grid.addWidget(card)
        self._chart_card = Card()
        chart_layout = QVBoxLayout(self._chart_card)
        chart_layout.setContentsMargins(16, 12, 16, 8)
        chart_layout.setSpacing(GRID)
        top = QHBoxLayout()
        top.addWidget(Text(self.tr("Throughput"), Type.STRONG))
        top.addStretch(1)
        # The choice 90 s | 15 min | 24 h stands here once there is more than one span to choose.
        top.addWidget(Text(self.tr("last 90 s"), Type.SMALL, "dim"))
        chart_layout.addLayout(top)
        chart_layout.addWidget(self.chart, 1)
        self._table_card = Card()
        self._table_card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        table_layout = QVBoxLayout(self._table_card)
        table_layout.setContentsMargins(8, 6, 8, 6)
        table_layout.setSpacing(2)
        table_layout.addWidget(self.table)
        table_layout.addWidget(self._nobody)
        table_layout.addWidget(self.all)
        self._nobody.setContentsMargins(8, 8, 8, 8)
        for notice in (self.state_notice, self.refusal_notice, self.start_card):
            layout.addWidget(notice)
        layout.addWidget(self._figures)
        layout.addWidget(self._chart_card, 100)
        layout.addWidget(self._table_card)
        layout.addWidget(self.quiet)
        self._filler = QWidget()
        layout.addWidget(self._filler, 1)

    def show_tunnel(
        self,
        tunnel: TunnelSnapshot,
        now: float,
        *,
        refusal: Notice | None,
        session: Session | None,
        first_start: bool,
    ) -> None:
        """Show `tunnel`.

        Args:
            tunnel: As it is at `now` (Unix time); its connections come by the model.
            refusal: The notice about a client that was turned away, unless dismissed.
            session: The last session, for a stopped tunnel.
            first_start: There is only the demo yet.
        """
        self._tunnel = tunnel
        running = tunnel.state in SERVING
        waiting_for_first = running and not tunnel.connections and not tunnel.served
        self.state_notice.show_notice(state_notice(tunnel, now))
        self.refusal_notice.show_notice(refusal)
        self.start_card.setVisible(first_start)
        live = running and not waiting_for_first
        for part in (self._figures, self._chart_card, self._table_card):
            part.setVisible(live)
        self.quiet.setVisible(not live and tunnel.state not in (TunnelState.WAITING, TunnelState.FAILED))
        if not live:
            self.quiet.show_tunnel(tunnel, session, now)
            return
        self._show_figures(tunnel)
        self.table.show_columns_for(tunnel)
        count = len(tunnel.connections)
        self.table.setVisible(count > 0)
        self._nobody.setVisible(count == 0)
        self.all.setVisible(count > ROWS_SHOWN)
        label = self.tr("All {0} connections").format(formatting.count(count))
        if count > ROWS_SHOWN and self.all.accessibleName() != label:
            self.all.set_label(label)

    def _show_figures(self, tunnel: TunnelSnapshot) -> None:
        count, limit = len(tunnel.connections), tunnel.connection_limit
        near_limit = limit > 0 and count >= 0.8 * limit
        of_limit = self.tr("of {0}").format(formatting.count(limit)) if near_limit else ""
        self.connections.set_quantity(formatting.Quantity(formatting.count(count), of_limit))
        self.to_clients.set_quantity(formatting.rate(tunnel.to_client_rate))
        self.to_target.set_quantity(formatting.rate(tunnel.to_target_rate))
        self.round_trip.set_quantity(formatting.round_trip(tunnel.round_trip_seconds))
        self.transferred.set_quantity(formatting.size(tunnel.to_client_bytes + tunnel.to_target_bytes))
        self.chart.set_live(tunnel.to_client_rate, tunnel.to_target_rate)

    def show_throughput(self, throughput: ThroughputSnapshot | None) -> None:
        self.chart.set_throughput(throughput)

    def fit(self, window_height: float) -> None:
        """Adapt the chart to the window's height (pixels at a text scale of 1)."""
        if window_height < LOW_WINDOW:
            self.chart.setFixedHeight(theme.px(140))
        else:
            self.chart.setMinimumHeight(theme.px(180))
            self.chart.setMaximumHeight(16777215)
        self._chart_card.setMaximumHeight(theme.px(MOST_CHART))

    def _disconnect(self, connection: int) -> None:
        if self._tunnel is not None:
            self._actions.disconnect(self._tunnel.name, connection)
