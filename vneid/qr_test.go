package vneid

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const scanApp = "HTTP://LOCALHOST:9997/Q"

var (
	allQRStates = []QRState{QRCreated, QRScanned, QRConfirmed, QRRefused, QRExpired, QRReplaced}
	allQREvents = []QREvent{QREventScanned, QREventConfirmed, QREventRefused, QREventExpired, QREventReplaced}
	phoneA      = &Device{ID: "a", CCCD: "038090000001"}
	phoneB      = &Device{ID: "b", CCCD: "038190000002"}
)

func newQRLogin(seed uint64) (*Login, string) {
	l := newTestLogin(StateStarted)
	l.ID = NewID(chacha(seed))
	return l, l.newQR(chacha(seed+1), testSalt, DefaultPolicy(), noon)
}

func TestAConfirmedOrRefusedOrReplacedCodeIsDead(t *testing.T) {
	for _, s := range allQRStates {
		dead := s == QRConfirmed || s == QRRefused || s == QRReplaced
		if got := len(qrTable[s]) == 0; got != dead {
			t.Errorf("%s: dead %v, want %v", s, got, dead)
		}
		for _, e := range allQREvents {
			q := QR{State: s, ExpiresAt: noon.Add(time.Minute)}
			if err := q.Apply(e, noon); dead && err == nil {
				t.Errorf("%s moved by %s to %s", s, e, q.State)
			}
		}
	}
}

// Two phones, one login, any order of what phones, page and time can do.
func TestNoSequenceOfScansLetsAnotherPhoneSettleTheCode(t *testing.T) {
	p := DefaultPolicy()
	reached := map[QRState]int{}
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		l, _ := newQRLogin(seed)
		now := noon
		scanner := "" // of the live generation
		settled := 0
		for step := range 40 {
			now = now.Add(time.Duration(rnd.IntN(3)) * time.Duration(rnd.IntN(25)) * time.Second)
			phone := []*Device{phoneA, phoneB}[rnd.IntN(2)]
			before := *l
			late := l.QR.Expired(now) || now.After(l.ExpiresAt)
			var err error
			did := rnd.IntN(7)
			switch did {
			case 0, 1:
				if err = l.scanQR(phone, 0, now); err == nil {
					if late || scanner != "" && scanner != phone.ID {
						t.Fatalf("seed %d step %d: %s scanned what %q had, late %v", seed, step, phone.ID, scanner, late)
					}
					scanner = phone.ID
				}
			case 2, 3:
				if err = l.confirmQR(phone, now); err == nil {
					settled++
					if scanner != phone.ID || late || l.CCCD != phone.CCCD || l.Auth.ACR != "LoA2" || l.State != StateSecondFactorOK {
						t.Fatalf("seed %d step %d: %s confirmed, scanned by %q, late %v: %+v", seed, step, phone.ID, scanner, late, l)
					}
				}
			case 4:
				if rnd.IntN(3) > 0 {
					continue
				}
				if err = l.refuseQR(phone, now); err == nil {
					settled++
					if scanner != phone.ID || l.State != StateRefused {
						t.Fatalf("seed %d step %d: %s refused, scanned by %q, login %s", seed, step, phone.ID, scanner, l.State)
					}
				}
			case 5:
				if l.State == StateStarted && l.QR.Apply(QREventReplaced, now) == nil {
					l.newQR(chacha(seed+uint64(step)), testSalt, p, now)
					scanner = ""
				}
			case 6:
				if rnd.IntN(4) == 0 {
					if err = l.acceptPassword(phoneB.CCCD, now); err == nil && settled > 0 {
						t.Fatalf("seed %d step %d: a password after the phone", seed, step)
					}
				}
			}
			if settled > 1 {
				t.Fatalf("seed %d step %d: settled twice", seed, step)
			}
			if (before.QR.State == QRConfirmed || before.QR.State == QRRefused) && !reflect.DeepEqual(before.QR, l.QR) {
				t.Fatalf("seed %d step %d: %d changed a dead code from %+v to %+v (%v)", seed, step, did, before.QR, l.QR, err)
			}
			if l.State == StateSecondFactorOK && l.QR.State != QRConfirmed {
				t.Fatalf("seed %d step %d: second factor without a confirmed code: %+v", seed, step, l.QR)
			}
			reached[l.QR.State]++
		}
	}
	for _, s := range allQRStates {
		if s != QRReplaced && reached[s] == 0 { // replaced ones are overwritten by their successor
			t.Errorf("the random steps never met %s: they prove nothing about it", s)
		}
	}
}

func TestACodeSaysNothingThatIsStored(t *testing.T) {
	l, waiting := newQRLogin(7)
	code, short := l.QRCode(scanApp, testSalt), l.QRShort(testSalt)
	for _, stored := range []string{l.QR.BrowserHash, l.QR.ShortHash} {
		for _, shown := range []string{code, short, waiting} {
			if strings.Contains(shown, stored) || strings.Contains(stored, strings.ReplaceAll(shown, "-", "")) {
				t.Errorf("%q and %q share a secret", shown, stored)
			}
		}
	}
	if strings.Contains(code, waiting) {
		t.Error("the browser's secret is in the code")
	}
	if l.QR.BrowserHash != SecretHash(waiting) {
		t.Error("the waiting secret is not the one whose hash is kept")
	}
	if again := l.QRCode(scanApp, testSalt); again != code {
		t.Error("a page shown again shows another code")
	}
	if other := l.QRCode(scanApp, []byte("another world")); other == code {
		t.Error("the code can be computed without the world's salt")
	}
}

func TestEveryWayToShowTheCodeIsReadBack(t *testing.T) {
	l, _ := newQRLogin(9)
	code, short := l.QRCode(scanApp, testSalt), l.QRShort(testSalt)
	for _, text := range []string{code, " " + code + "\n", strings.TrimPrefix(code, scanApp+"/"), strings.ToLower(scanApp) + strings.TrimPrefix(code, scanApp), short, strings.ToLower(short),
		strings.ReplaceAll(short, "-", ""), strings.ReplaceAll(short, "-", " "), strings.ReplaceAll(short, "0", "o"), strings.ReplaceAll(short, "1", "l")} {
		scan, err := ParseQR(scanApp, text)
		if err == nil {
			err = l.checkQR(testSalt, scan)
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAForeignCodeIsCalledForeign(t *testing.T) {
	l, _ := newQRLogin(9)
	code := l.QRCode(scanApp, testSalt)
	for _, text := range []string{
		"038090000001|171234567|Nguyễn Văn An|15031990|Nam|Thanh Hóa|01012022", // on an identity card
		"https://example.test/", "WIFI:S:nha;T:WPA;P:matkhau;;", "javascript:alert(1)", "http://evil.test/Q/" + code[len(scanApp)+1:],
		scanApp, scanApp + "/", code + "x", code[:len(code)-1], "K7QM-2XP", "K7QM-2XPDD", "U7QM-2XPD", strings.Repeat("A", 5000), "\x00\xff",
	} {
		if scan, err := ParseQR(scanApp, text); MsgKey(err) != "qr_foreign" {
			t.Errorf("%.80q: %+v, %v", text, scan, err)
		}
	}
	if _, err := ParseQR(scanApp, " \t"); MsgKey(err) != "qr_empty" {
		t.Error(err)
	}
}

func TestAReplacedCodeIsToldApartFromAnInventedOne(t *testing.T) {
	l, _ := newQRLogin(11)
	old, _ := ParseQR(scanApp, l.QRCode(scanApp, testSalt))
	oldShort, _ := ParseQR(scanApp, l.QRShort(testSalt))
	l.newQR(chacha(12), testSalt, DefaultPolicy(), noon)
	if err := l.checkQR(testSalt, old); MsgKey(err) != "qr_replaced" {
		t.Errorf("the replaced code: %v", err)
	}
	if err := l.checkQR(testSalt, oldShort); MsgKey(err) != "qr_unknown" {
		t.Errorf("the replaced short code: %v", err)
	}
	invented := QRScan{Login: l.ID[:qrLoginLen], Proof: strings.Repeat("A", len(qrProof(testSalt, l.ID, 1)))}
	if err := l.checkQR(testSalt, invented); MsgKey(err) != "qr_unknown" {
		t.Errorf("an invented proof: %v", err)
	}
	if err := l.checkQR(testSalt, QRScan{Login: l.ID[:qrLoginLen]}); err == nil {
		t.Error("the login's id alone is no code")
	}
}

func TestTheThreeNumbersDoNotSayWhichIsRight(t *testing.T) {
	place := map[int]int{}
	for seed := range uint64(3000) {
		l, _ := newQRLogin(seed)
		if l.MatchChoices(testSalt) != nil {
			t.Fatal("choices though matching is off")
		}
		l.QR.Match = 10 + int(randomBelow(chacha(seed), 90))
		list := l.MatchChoices(testSalt)
		if len(list) != 3 || len(slices.Compact(slices.Clone(list))) != 3 || !slices.Contains(list, l.QR.Match) || list[0] < 10 || list[2] > 99 {
			t.Fatalf("seed %d: %v for %d", seed, list, l.QR.Match)
		}
		place[slices.Index(list, l.QR.Match)]++
	}
	for i := range 3 {
		if place[i] < 850 || place[i] > 1150 {
			t.Errorf("the right number stands at %d in %d of 3000", i, place[i])
		}
	}
}

func TestWhoScannedIsNamedByInitials(t *testing.T) {
	for name, want := range map[string]string{"Nguyễn Văn An": "Nguyễn V** A**", "Đỗ Thị Ánh": "Đỗ T** Á**", "An": "A**", "": ""} {
		if got := ScannedBy(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestACallCountsOnce(t *testing.T) {
	d := &Device{}
	at := noon.Unix()
	if err := d.accept(DeviceCall{"1", at}, noon); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		call DeviceCall
		want string
	}{{DeviceCall{"1", at}, "call_replayed"}, {DeviceCall{"1", at + 5}, "call_replayed"}, {DeviceCall{"2", at - 61}, "call_stale"},
		{DeviceCall{"2", at + 61}, "call_stale"}, {DeviceCall{"", at}, "call_stale"}, {DeviceCall{strings.Repeat("x", 65), at}, "call_stale"}} {
		if err := d.accept(c.call, noon); MsgKey(err) != c.want {
			t.Errorf("%+v: %v, want %s", c.call, err, c.want)
		}
	}
	if err := d.accept(DeviceCall{"3", at + 59}, noon); err != nil { // dated ahead: it must be remembered longer
		t.Fatal(err)
	}
	if err := d.accept(DeviceCall{"3", at + 59}, noon.Add(119*time.Second)); MsgKey(err) != "call_replayed" {
		t.Errorf("a call dated ahead was accepted again: %v", err)
	}
	for range 500 {
		d.accept(DeviceCall{NewID(chacha(uint64(len(d.Calls)))), at}, noon)
	}
	if len(d.Calls) > 200 {
		t.Errorf("%d calls are remembered", len(d.Calls))
	}
}

func TestTheAppsCodeIsTheOneThatIsAccepted(t *testing.T) {
	p := DefaultPolicy()
	l := newTestLogin(StateStarted)
	if err := l.acceptPassword("038090000001", noon); err != nil {
		t.Fatal(err)
	}
	digits, err := l.sendOTP(chacha(1), testSalt, p, OTPByApp, noon)
	if err != nil || len(digits) != 6 || l.appCode(testSalt, p) != digits {
		t.Fatalf("%q, %q, %v", digits, l.appCode(testSalt, p), err)
	}
	again := *l
	if next, err := again.sendOTP(chacha(2), testSalt, p, OTPByApp, noon.Add(31*time.Second)); err != nil || next == digits {
		t.Fatalf("another one: %q, %v", next, err)
	}
	if err := l.tryOTP(testSalt, digits, p, noon); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.Auth.AMR, []string{"pwd", "otp", "swk", "mfa"}) || l.Auth.ACR != "LoA2" {
		t.Errorf("%+v", l.Auth)
	}
}

func TestAPasswordAloneIsLoA1(t *testing.T) {
	l := newTestLogin(StateStarted)
	l.acceptPassword("038090000001", noon)
	if err := l.sufficePassword(noon); err != nil || l.Auth.ACR != "LoA1" || !slices.Equal(l.Auth.AMR, []string{"pwd"}) {
		t.Fatalf("%+v, %v", l.Auth, err)
	}
	if err := newTestLogin(StateStarted).sufficePassword(noon); err == nil {
		t.Error("without a password")
	}
}

func FuzzParseQR(f *testing.F) {
	l, _ := newQRLogin(3)
	f.Add(scanApp, l.QRCode(scanApp, testSalt))
	f.Add(scanApp, l.QRShort(testSalt))
	f.Add(scanApp, "038090000001|171234567|Nguyễn Văn An|15031990|Nam|Thanh Hóa|01012022")
	f.Add("", "http://localhost/")
	f.Fuzz(func(t *testing.T, app, text string) {
		scan, err := ParseQR(app, text)
		if err != nil {
			if !IsCode(err, CodeInvalid) || scan != (QRScan{}) {
				t.Fatalf("%q: %+v, %v", text, scan, err)
			}
			return
		}
		if (scan.Short != "") == (scan.Login != "" || scan.Proof != "") {
			t.Fatalf("%q: %+v", text, scan)
		}
		if l.checkQR(testSalt, scan) == nil && !strings.Contains(text, strings.TrimPrefix(l.QRCode("", testSalt), "/")) && !strings.EqualFold(strings.NewReplacer("-", "", " ", "", ".", "", "\u00a0", "").Replace(strings.TrimSpace(text)), strings.ReplaceAll(l.QRShort(testSalt), "-", "")) && scan.Short == "" {
			t.Fatalf("%q opens a login", text)
		}
	})
}
