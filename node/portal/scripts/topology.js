// Draws who is linked with whom. The tables of the page say the same in words.
(function () {
  'use strict'

  var COLOURS = { up: '#1f7a4d', silent: '#b3261e', never_joined: '#6b7480', unknown: '#8a5a00' }
  var box, chart

  // This node in the middle, linked members on the inner ring, all others outside, ordered by region.
  function place(nodes) {
    var own = nodes.filter(function (node) { return node.own })
    var linked = nodes.filter(function (node) { return !node.own && node.linked })
    var others = nodes.filter(function (node) { return !node.own && !node.linked })
    var placed = own.map(function (node) { return { node: node, x: 0, y: 0 } })
    ring(placed, linked, 1)
    // Several outer rings, so that marks do not touch.
    var radius = linked.length ? 1.7 : 1
    for (var from = 0; from < others.length;) {
      var room = Math.max(8, Math.floor(radius * 60))
      ring(placed, others.slice(from, from + room), radius)
      from += room
      radius += 0.28
    }
    return placed
  }

  function ring(placed, nodes, radius) {
    nodes.forEach(function (node, index) {
      var angle = Math.PI / 2 - 2 * Math.PI * index / nodes.length
      placed.push({ node: node, x: radius * Math.cos(angle), y: radius * Math.sin(angle) })
    })
  }

  function option(nodes) {
    var placed = place(nodes)
    var extent = placed.reduce(function (most, one) { return Math.max(most, Math.abs(one.x), Math.abs(one.y)) }, 1) * 1.18
    // Names that would lie on one another are left to the tables.
    var wide = box.clientWidth >= 700
    var few = wide && placed.length <= 40
    function named(one) { return few || one.node.own || (one.node.linked && (wide || placed.length <= 12)) }
    var lines = []
    placed.forEach(function (one) {
      if (one.node.linked && !one.node.own) lines.push([0, 0], [one.x, one.y], [null, null])
    })
    // Names are wide: they need room at the sides.
    function axis(most) { return { type: 'value', min: -most, max: most, show: false } }
    var marks = placed.map(function (one) {
      return {
        value: [one.x, one.y],
        name: one.node.name,
        symbolSize: one.node.own ? 26 : Math.min(8 + (one.node.peers || 0), 20),
        itemStyle: { color: COLOURS[one.node.state] || COLOURS.unknown, borderColor: '#fff', borderWidth: 1 },
        label: { show: named(one), formatter: short(one.node.name, wide), position: one.y < 0 ? 'bottom' : 'top', color: '#1c2733', fontSize: 12 }
      }
    })
    return {
      animation: false,
      grid: { left: 8, right: 8, top: 8, bottom: 8 },
      xAxis: axis(extent * 1.12),
      yAxis: axis(extent),
      series: [
        { type: 'line', data: lines, showSymbol: false, connectNulls: false, silent: true, lineStyle: { color: '#8fa3b3', width: 1.4 } },
        { type: 'line', data: marks, symbol: 'circle', showSymbol: true, showAllSymbol: true, lineStyle: { width: 0, opacity: 0 }, labelLayout: { hideOverlap: true } }
      ]
    }
  }

  // A name in the picture, without what ECharts would read as a placeholder.
  function short(name, wide) {
    var most = wide ? 16 : 8
    var plain = name.replace(/[{}|]/g, '')
    return plain.length > most ? plain.slice(0, most - 1) + '…' : plain
  }

  function draw() {
    fetch(box.dataset.source, { credentials: 'same-origin', headers: { 'HX-Request': 'true' } }).then(function (answer) {
      return answer.ok ? answer.json() : null
    }).then(function (graph) {
      if (!graph || !graph.nodes.length) return
      box.hidden = false
      chart = chart || window.echarts.init(box)
      chart.setOption(option(graph.nodes), true)
    })
  }

  document.addEventListener('DOMContentLoaded', function () {
    box = document.getElementById('graph')
    if (!box || !window.echarts) return
    draw()
    document.addEventListener('portal:refreshed', draw)
    window.addEventListener('resize', function () { if (chart) chart.resize() })
  })
})()
