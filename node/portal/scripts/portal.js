// Keeps the page live: one stream of events for each browser, listened to only by the window that is looked at. Nothing
// on a page depends on this file.
(function () {
  'use strict'

  var NAMES = ['health', 'records']

  // What the stream of events is for htmx: an EventSource that sleeps while nobody looks.
  function Source(url) {
    this.url = url
    this.readyState = EventSource.CONNECTING
    this.onopen = null
    this.onerror = null
    this.listeners = {}
    this.closed = false
    this.source = null
    this.slept = false
    this.timer = null
    this.wakeUp = this.wake.bind(this)
    this.fallAsleep = this.sleepIfHidden.bind(this)
    document.addEventListener('visibilitychange', this.fallAsleep)
    window.addEventListener('focus', this.wakeUp)
    this.wake()
  }

  Source.prototype.addEventListener = function (name, listener) {
    (this.listeners[name] = this.listeners[name] || []).push(listener)
  }

  Source.prototype.removeEventListener = function (name, listener) {
    this.listeners[name] = (this.listeners[name] || []).filter(function (known) { return known !== listener })
  }

  Source.prototype.tell = function (name, event) {
    (this.listeners[name] || []).slice().forEach(function (listener) { listener(event) })
  }

  Source.prototype.wake = function () {
    if (this.closed || this.source || document.hidden) return
    var self = this
    var source = new EventSource(this.url)
    this.source = source
    source.onopen = function (event) {
      self.readyState = EventSource.OPEN
      self.rest()
      show('on')
      if (self.onopen) self.onopen(event)
      if (self.slept) self.catchUp()
    }
    source.onerror = function () {
      // What happens meanwhile is not heard.
      self.slept = true
      // The browser tries again by itself, unless the answer was no stream: then the page is fetched again now and then,
      // and the stream is tried with it.
      if (source.readyState === EventSource.CLOSED) {
        self.drop()
        self.poll(true)
      } else {
        show('off')
      }
    }
    // Another window of this browser listens: this one, where it is seen, is fetched again now and then.
    source.addEventListener('moved', function () { self.drop(); self.slept = true; self.poll(false) })
    NAMES.forEach(function (name) {
      source.addEventListener(name, function (event) { self.tell(name, event) })
    })
  }

  Source.prototype.catchUp = function () {
    var self = this
    this.slept = false
    // One event is enough to fetch the page.
    var heard = NAMES.filter(function (name) { return (self.listeners[name] || []).length > 0 }).slice(0, 1)
    heard.forEach(function (name) { self.tell(name, new MessageEvent(name, { data: 'again' })) })
  }

  // Fetches the page now, and again now and then; if it may, it tries the stream each time.
  Source.prototype.poll = function (tryStream) {
    var self = this
    this.rest()
    show('polling')
    this.catchUp()
    this.timer = window.setInterval(function () {
      if (self.closed || document.hidden) return
      // A stream that is refused again comes back here.
      if (tryStream) self.wake()
      else self.catchUp()
    }, pollMilliseconds())
  }

  Source.prototype.rest = function () {
    if (this.timer) window.clearInterval(this.timer)
    this.timer = null
  }

  Source.prototype.sleepIfHidden = function () {
    if (!document.hidden) { this.wake(); return }
    this.slept = true
    this.rest()
    this.drop()
  }

  Source.prototype.drop = function () {
    if (this.source) this.source.close()
    this.source = null
    this.readyState = EventSource.CONNECTING
  }

  Source.prototype.close = function () {
    this.closed = true
    this.rest()
    this.drop()
    this.readyState = EventSource.CLOSED
    document.removeEventListener('visibilitychange', this.fallAsleep)
    window.removeEventListener('focus', this.wakeUp)
  }

  function pollMilliseconds() {
    var state = document.getElementById('live-state')
    return 1000 * (Number(state && state.dataset.pollSeconds) || 20)
  }

  // How the page is kept up to date: `on`, `off` while the browser reconnects, `polling`.
  function show(how) {
    var state = document.getElementById('live-state')
    if (!state || state.dataset.how === how) return
    state.dataset.how = how
    state.textContent = state.dataset[how]
    state.classList.toggle('off', how !== 'on')
  }

  // Runs before htmx, which makes its own source only where there is none.
  document.addEventListener('DOMContentLoaded', function () {
    if (window.htmx) window.htmx.createEventSource = function (url) { return new Source(url) }
  })

  // What has the focus in a part that is fetched again: its id, or what it leads to and which of those it is.
  function mark(element, within) {
    if (element.id) return { id: element.id }
    var name = element.getAttribute('href') ? 'href' : element.getAttribute('name') ? 'name' : null
    var selector = element.tagName + (name ? '[' + name + '=' + JSON.stringify(element.getAttribute(name)) + ']' : '')
    var place = Array.prototype.indexOf.call(within.querySelectorAll(selector), element)
    return place < 0 ? null : { selector: selector, place: place }
  }

  function find(marked) {
    if (marked.id) return document.getElementById(marked.id)
    var live = document.getElementById('live')
    return live ? live.querySelectorAll(marked.selector)[marked.place] : null
  }

  var focused = null
  var scrolled = null

  // A part that is fetched again must not take what somebody is reading or typing away from under them.
  document.addEventListener('htmx:beforeSwap', function (event) {
    var target = event.detail.target
    var active = document.activeElement
    var within = target && target !== active && target.contains(active)
    var typing = within && ['INPUT', 'SELECT', 'TEXTAREA'].indexOf(active.tagName) >= 0
    var selection = window.getSelection()
    var selecting = selection && !selection.isCollapsed && target && target.contains(selection.anchorNode)
    if (typing || selecting) event.detail.shouldSwap = false
    focused = within ? mark(active, target) : null
    scrolled = { x: window.scrollX, y: window.scrollY }
  })

  document.addEventListener('htmx:afterSwap', function (event) {
    var again = focused && find(focused)
    if (again && document.activeElement !== again) again.focus({ preventScroll: true })
    if (scrolled) window.scrollTo(scrolled.x, scrolled.y)
    focused = scrolled = null
    // The time below the page is that of what it shows.
    var fresh = new DOMParser().parseFromString(event.detail.xhr.responseText, 'text/html').querySelector('footer time')
    var shown = document.querySelector('footer time')
    if (fresh && shown) { shown.textContent = fresh.textContent; shown.dateTime = fresh.dateTime }
    announce()
    document.dispatchEvent(new CustomEvent('portal:refreshed'))
  })

  // What is critical is said aloud once when it comes up, not each time the page is fetched again.
  function critical() {
    var titles = document.querySelectorAll('#live .notice.critical > strong')
    return Array.prototype.map.call(titles, function (title) { return title.textContent }).join(' ')
  }

  var said = ''

  function announce() {
    var now = critical()
    var place = document.getElementById('announcement')
    if (now === said || !place) return
    said = now
    place.textContent = now
  }

  // What stands on the page when it is opened is read with it.
  document.addEventListener('DOMContentLoaded', function () { said = critical() })
})()
