package op_test

import (
	"bufio"
	"context"
	"encoding/json"
	"html"
	"image"
	"image/color"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// event is one of a stream of server-sent events.
type event struct{ name, data string }

// events is what a browser that waits hears.
type events struct {
	t      testing.TB
	status int
	header http.Header
	next   chan event // closed when the stream ends
	leave  context.CancelFunc
}

// listen opens the stream of a login's page.
func (b *browser) listen(page string, query ...string) *events {
	b.w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b.w.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", b.w.url+page+"/events"+strings.Join(query, ""), nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	client := &http.Client{Jar: b.Jar, Transport: b.Transport}
	resp, err := client.Do(req)
	if err != nil {
		b.w.t.Fatal(err)
	}
	e := &events{t: b.w.t, status: resp.StatusCode, header: resp.Header, next: make(chan event, 16), leave: cancel}
	go func() {
		defer close(e.next)
		defer resp.Body.Close()
		var now event
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				now.name = value
			case "data":
				now.data = value
			case "":
				if now.name != "" {
					e.next <- now
				}
				now = event{}
			}
		}
	}()
	return e
}

func (e *events) want(name string) event {
	e.t.Helper()
	select {
	case got, ok := <-e.next:
		if !ok || got.name != name {
			e.t.Fatalf("event %+v (stream open: %v), want %s", got, ok, name)
		}
		return got
	case <-time.After(5 * time.Second):
		e.t.Fatalf("nothing came, want %s", name)
	}
	return event{}
}

func (e *events) wantEnd() {
	e.t.Helper()
	select {
	case got, ok := <-e.next:
		if ok {
			e.t.Fatalf("event %+v, want the end", got)
		}
	case <-time.After(5 * time.Second):
		e.t.Fatal("the stream does not end")
	}
}

func (e *events) wantNothing() {
	e.t.Helper()
	select {
	case got, ok := <-e.next:
		e.t.Fatalf("event %+v (stream open: %v), want none", got, ok)
	case <-time.After(150 * time.Millisecond):
	}
}

// codeOf is what the live QR code of a login says.
func (w *testWorld) codeOf(page string) string {
	w.t.Helper()
	return w.loginOf(page).QRCode(codeURL, w.world.Salt)
}

func (w *testWorld) loginOf(page string) (l *vneid.Login) {
	w.t.Helper()
	err := w.store.View(context.Background(), w.world.ID, func(tx vneid.Tx) (err error) {
		l, err = tx.Login(strings.TrimPrefix(page, "/login/"))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *testWorld) phoneOf(number string) *testPhone {
	w.t.Helper()
	w.allowWebLogin(number)
	return w.activate(number)
}

func TestTheWaitingBrowserHearsOfTheScanAndGoesOnAfterTheConfirmation(t *testing.T) {
	w := newWorld(t)
	w.world.Policy.NumberMatching = true
	p := w.phoneOf(an)
	b := w.browser()
	page, code := w.begun(b)
	e := b.listen(page)
	if e.status != 200 || e.header.Get("Content-Type") != "text/event-stream" || e.header.Get("Cache-Control") != "no-store" || e.header.Get("X-Robots-Tag") != "noindex" {
		t.Errorf("%d %v", e.status, e.header)
	}
	e.wantNothing()
	scan := p.must("scan", members{"code": code})
	var news struct{ By, At, Digits string }
	if err := json.Unmarshal([]byte(e.want("scanned").data), &news); err != nil || news.By != "Nguyễn V** A**" || len(news.Digits) != 2 {
		t.Errorf("%v %+v", err, news)
	}
	if at, err := time.Parse(time.RFC3339, news.At); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("scanned at %q", news.At)
	}
	p.must("scan", members{"code": code}) // again: nothing new
	e.wantNothing()
	for _, path := range []string{page, page + "/waiting"} {
		a := b.get(w.url + path)
		for _, want := range []string{"Đã quét, chờ xác nhận trên điện thoại", "Nguyễn V** A**", ">" + news.Digits + "<"} {
			if !strings.Contains(a.body, want) {
				t.Errorf("%s has no %q", path, want)
			}
		}
		if strings.Contains(a.body, `id="qr"`) {
			t.Errorf("%s shows a code that is taken", path)
		}
	}
	number, _ := strconv.Atoi(news.Digits)
	p.must("confirm", members{"login": scan["login"], "number": number})
	e.want("go")
	e.wantEnd()
	if a := b.get(w.url + page + "/waiting"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != page {
		t.Errorf("the waiting page: %s %s", a.Status, a.Header.Get("Location"))
	}
	if a := b.get(w.url + page); a.param("code") == "" {
		t.Errorf("%s %s", a.Status, a.body)
	}
}

func TestTheStreamBeginsWithThePresentState(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	b := w.browser()
	page, code := w.begun(b)
	login := p.must("scan", members{"code": code})["login"]
	b.listen(page).want("scanned")
	p.must("confirm", members{"login": login})
	late := b.listen(page)
	late.want("go")
	late.wantEnd()
}

func TestTheSharingPageFollowsAConfirmation(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	b := w.browser()
	page := b.authorize(request("asking")).Header.Get("Location")
	login := p.must("scan", members{"code": w.codeOf(page)})["login"]
	p.must("confirm", members{"login": login})
	a := b.get(w.url + page)
	if !strings.Contains(a.body, "Xác nhận chia sẻ") {
		t.Fatalf("%s %s", a.Status, a.body)
	}
	a = b.post(w.url+page+"/sharing", url.Values{"decision": {"share"}, "agree": {"yes"}})
	if a.param("code") == "" {
		t.Errorf("%s %v", a.Status, a.Header)
	}
}

func TestARefusalOnThePhoneIsSaidBeforeItGoesBackToThePortal(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	b := w.browser()
	page, code := w.begun(b)
	e := b.listen(page)
	login := p.must("scan", members{"code": code})["login"]
	e.want("scanned")
	p.must("refuse", members{"login": login})
	e.want("go")
	a := b.get(w.url + page)
	if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "Bạn đã từ chối đăng nhập trên điện thoại") {
		t.Fatalf("%s %s", a.Status, a.body)
	}
	if !strings.Contains(a.body, `href="`+page+`/return"`) {
		t.Error("no way back")
	}
	if a := b.get(w.url + page + "/return"); a.param("error") != "access_denied" || a.param("state") != "a-state" {
		t.Errorf("the way back: %s %s", a.Status, a.Header.Get("Location"))
	}
	for _, form := range []string{"password", "qr"} { // from another tab
		if a := b.post(w.url+page+"/"+form, url.Values{"username": {an}, "password": {secret}}); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != page {
			t.Errorf("a late %s form: %s %s", form, a.Status, a.Header.Get("Location"))
		}
	}
}

// The browser's cookie can be planted over plain http; the secret of the
// browser that shows the code cannot be had by it.
func TestOnlyTheBrowserThatShowsTheCodeHearsAndGoesOn(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	b := w.browser()
	page, code := w.begun(b)

	stranger := w.browser()
	w.begun(stranger)
	planted := w.browser()
	at, _ := url.Parse(w.url)
	for _, c := range b.Jar.Cookies(at) {
		if strings.HasSuffix(c.Name, "_browser") {
			planted.Jar.SetCookies(at, []*http.Cookie{c})
		}
	}
	for name, other := range map[string]*browser{"stranger": stranger, "planted": planted, "without cookies": w.browser()} {
		if e := other.listen(page); e.status != http.StatusForbidden {
			t.Errorf("%s: the stream answers %d", name, e.status)
		}
		if a := other.get(w.url + page + "/qr.svg?g=1"); a.StatusCode == 200 || strings.Contains(a.body, "<svg") {
			t.Errorf("%s: sees the picture: %s", name, a.Status)
		}
	}
	a := planted.get(w.url + page)
	if strings.Contains(a.body, `id="qr"`) || strings.Contains(a.body, "qr-code") || !strings.Contains(a.body, ">Tải lại</button>") || strings.Contains(a.body, "/events") {
		t.Errorf("a browser that does not show the code: %s", a.body)
	}
	login := p.must("scan", members{"code": code})["login"]
	p.must("confirm", members{"login": login})
	for _, path := range []string{page, page + "/events", page + "/return"} {
		a := planted.get(w.url + path)
		for len(a.Header["Location"]) > 0 && strings.HasPrefix(a.Header.Get("Location"), "/") {
			a = planted.get(w.url + a.Header.Get("Location"))
		}
		if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "Trình duyệt này không hiện mã QR đã được xác nhận") || a.param("code") != "" {
			t.Errorf("%s: %s %s", path, a.Status, a.body)
		}
	}
	if a := planted.post(w.url+page+"/qr", nil); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != page {
		t.Errorf("a new code after the confirmation: %s", a.Status)
	}
	if a := b.get(w.url + page); a.param("code") == "" {
		t.Errorf("the right browser: %s %s", a.Status, a.body)
	}
}

func TestANewCodeTakesThePlaceOfTheOldOneEverywhere(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	b := w.browser()
	page, code := w.begun(b)
	old := b.listen(page, "?g=1")
	p.must("scan", members{"code": code})
	old.want("scanned")
	if a := b.post(w.url+page+"/qr", nil); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != page {
		t.Fatalf("%s %s", a.Status, a.body)
	}
	old.want("replaced")
	old.wantEnd()
	again := b.listen(page, "?g=1") // the old tab is looked at again
	again.want("replaced")
	again.wantEnd()
	if a := b.get(w.url + page + "/waiting?g=1"); !strings.Contains(a.body, "đang hiện ở một thẻ hoặc trình duyệt khác") || !strings.Contains(a.body, ">Tải lại</button>") {
		t.Errorf("what the old tab takes over: %s", a.body)
	}
	if a := b.get(w.url + page + "/qr.svg?g=1"); a.StatusCode != http.StatusNotFound {
		t.Errorf("the old picture: %s", a.Status)
	}
	if status, answer := p.call("confirm", members{"login": strings.TrimPrefix(page, "/login/")}); status == 200 {
		t.Errorf("the phone that scanned the old code confirmed: %v", answer)
	}
	e := b.listen(page, "?g=2")
	login := p.must("scan", members{"code": w.codeOf(page)})["login"]
	e.want("scanned")
	p.must("confirm", members{"login": login})
	e.want("go")
	if a := b.get(w.url + page); a.param("code") == "" {
		t.Errorf("%s %s", a.Status, a.body)
	}
}

func TestTheCodesOfOneLoginAreCounted(t *testing.T) {
	w := newWorld(t)
	w.world.Policy.QRPerLogin = 3
	b := w.browser()
	page, _ := w.begun(b)
	for range 2 {
		b.post(w.url+page+"/qr", nil)
	}
	if a := b.get(w.url + page); !strings.Contains(a.body, `qr.svg?g=3`) || strings.Contains(a.body, "Tải lại</button>") {
		t.Errorf("the last one: %s", a.body)
	}
	if a := b.post(w.url+page+"/qr", nil); a.StatusCode != http.StatusTooManyRequests || !strings.Contains(a.body, "Đã dùng hết số mã QR") {
		t.Errorf("one more: %s %s", a.Status, a.body)
	}
	w.clock.SetOffset(3 * time.Minute)
	if a := b.get(w.url + page); !strings.Contains(a.body, "đã dùng hết số mã QR") {
		t.Errorf("after its time: %s", a.body)
	}
}

func TestAClockThatIsMovedEndsTheCodeAndTheBrowserHears(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	b := w.browser()
	page, code := w.begun(b)
	e := b.listen(page)
	w.clock.SetOffset(2*time.Minute + time.Second)
	e.want("expired")
	e.wantEnd()
	if status, answer := p.call("scan", members{"code": code}); status == 200 || answer["code"] != "qr_expired" {
		t.Errorf("scan after its time: %d %v", status, answer)
	}
	for _, path := range []string{page, page + "/waiting"} {
		if a := b.get(w.url + path); !strings.Contains(a.body, ">Tải lại</button>") || strings.Contains(a.body, `id="qr"`) || strings.Contains(a.body, `http-equiv="refresh"`) {
			t.Errorf("%s after the code's time: %s", path, a.body)
		}
	}
	b.post(w.url+page+"/qr", nil)
	e = b.listen(page)
	e.wantNothing()
	w.clock.SetOffset(time.Hour)
	e.want("go") // the login is over too: its page says so
	if a := b.get(w.url + page); a.StatusCode != http.StatusGone {
		t.Errorf("%s", a.Status)
	}
}

func TestALoginHasFourStreamsAndTheOldestGivesWay(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	b := w.browser()
	page, code := w.begun(b)
	var open []*events
	for range 5 {
		open = append(open, b.listen(page))
	}
	open[0].want("crowded")
	open[0].wantEnd()
	p.must("scan", members{"code": code})
	for _, e := range open[1:] {
		e.want("scanned")
	}
}

func TestClosingTheProviderEndsTheStreamsAndLetsNobodyIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page, _ := w.begun(b)
	e := b.listen(page)
	w.provider.Close()
	e.wantEnd()
	if a := b.get(w.url + page + "/events"); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Errorf("%s %v", a.Status, a.Header)
	}
}

// Whoever asks for a new code and whoever scans race: one of them wins, and no
// phone may settle a code that no browser shows.
func TestANewCodeAndAScanRaceAndOneIsTrue(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	for range 20 {
		b := w.browser()
		page, code := w.begun(b)
		var both sync.WaitGroup
		both.Go(func() { b.post(w.url+page+"/qr", nil) })
		both.Go(func() { p.call("scan", members{"code": code}) })
		both.Wait()
		l := w.loginOf(page)
		if l.QR.Generation != 2 || l.QR.State != vneid.QRCreated || l.QR.DeviceID != "" {
			t.Fatalf("after the race: %+v", l.QR)
		}
		if status, answer := p.call("confirm", members{"login": l.ID}); status == 200 {
			t.Fatalf("a replaced code was confirmed: %v", answer)
		}
	}
}

// modules are the black squares of an SVG of ours, as a browser draws them.
func modules(t *testing.T, svg string, scale int) image.Image {
	t.Helper()
	size := regexp.MustCompile(`viewBox="0 0 (\d+) `).FindStringSubmatch(svg)
	if size == nil {
		t.Fatalf("no SVG: %.200s", svg)
	}
	n, _ := strconv.Atoi(size[1])
	img := image.NewGray(image.Rect(0, 0, n*scale, n*scale))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1H(\d+)z`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		width, _ := strconv.Atoi(m[3])
		for dy := range scale {
			for dx := range width * scale {
				img.SetGray(x*scale+dx, y*scale+dy, color.Gray{})
			}
		}
	}
	return img
}

func TestThePictureSaysExactlyTheCode(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for range 5 {
		page, code := w.begun(b)
		html := html.UnescapeString(b.get(w.url + page).body)
		src := regexp.MustCompile(`<img id="qr" src="([^"]+)"`).FindStringSubmatch(html)
		if src == nil {
			t.Fatalf("no picture: %s", html)
		}
		a := b.get(w.url + src[1])
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != "image/svg+xml" || a.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s %v", a.Status, a.Header)
		}
		img := modules(t, a.body, 4)
		if img.At(15, 15) != (color.Gray{255}) || img.At(16, 16) != (color.Gray{0}) {
			t.Error("the quiet zone is not four modules wide")
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		read, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || read.GetText() != code {
			t.Fatalf("%v: %q, want %q", err, read, code)
		}
		short := regexp.MustCompile(`<code id="qr-code"[^>]*>([^<]+)<`).FindStringSubmatch(html)
		if short == nil || short[1] != w.loginOf(page).QRShort(w.world.Salt) {
			t.Errorf("short code %q", short)
		}
	}
}

func TestNoSecretOfAWaitingBrowserStandsInTheLog(t *testing.T) {
	w := newWorld(t)
	p := w.phoneOf(an)
	b := w.browser()
	page, code := w.begun(b)
	b.listen(page)
	b.get(w.url + page + "/qr.svg?g=1")
	p.must("scan", members{"code": code})
	w.browser().get(w.url + page)
	log := w.log.String()
	canaries := []string{code[len(codeURL)+1:], w.loginOf(page).QRShort(w.world.Salt), an}
	at, _ := url.Parse(w.url)
	for _, c := range b.Jar.Cookies(at) {
		canaries = append(canaries, c.Value)
	}
	for _, canary := range canaries {
		if strings.Contains(log, canary) {
			t.Errorf("the log has %q", canary)
		}
	}
}
