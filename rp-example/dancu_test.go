package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestASilentPopulationDatabaseStopsNobody(t *testing.T) {
	for name, c := range map[string]struct {
		misbehave func(http.ResponseWriter)
		asked     int
	}{
		"slow":          {func(w http.ResponseWriter) { time.Sleep(danCuTime + 300*time.Millisecond) }, 2},
		"500":           {func(w http.ResponseWriter) { w.WriteHeader(500) }, 2},
		"wrong key":     {func(w http.ResponseWriter) { w.WriteHeader(401) }, 1},
		"quota used up": {func(w http.ResponseWriter) { w.WriteHeader(429) }, 1},
		"HTML": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<h1>bảo trì</h1>"))
		}, 2},
		"garbage":         {func(w http.ResponseWriter) { w.Write([]byte("{\"match\":")) }, 2},
		"no match in it":  {func(w http.ResponseWriter) { w.Write([]byte(`{"reason":"x"}`)) }, 2},
		"match is a text": {func(w http.ResponseWriter) { w.Write([]byte(`{"match":"true"}`)) }, 2},
		"huge": {func(w http.ResponseWriter) {
			w.Write([]byte(`{"match":true,"reason":"` + strings.Repeat("x", 1<<20) + `"}`))
		}, 1},
		"sends elsewhere":  {func(w http.ResponseWriter) { w.Header().Set("Location", "http://127.0.0.1:1/"); w.WriteHeader(307) }, 2},
		"hangs up halfway": {func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100"); w.Write([]byte(`{"match":true`)) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.dancu.on(c.misbehave)
			b := w.browser()
			b.local("an.nguyen", anApply).wantAt(t, "/identity/cccd")
			for range numberTriesPerAccount + 1 { // unanswered questions use up no try
				b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {an.cccd}}).wantAt(t, anApply)
				if name == "slow" {
					break
				}
			}
			if n := len(w.dancu.questions()); n%c.asked != 0 || n == 0 {
				t.Errorf("asked %d times, want %d for each try", n, c.asked)
			}
			b.get(anApply).wantPage(t, 200, "hiện chưa trả lời", "Đăng xuất")
			// The wish is remembered and offered again; one press is enough then.
			w.dancu.on(nil)
			b.post("/logout", nil)
			b.local("an.nguyen", anApply).wantAt(t, "/identity/cccd")
			b.get("/identity/cccd").wantPage(t, 200, "Cổng đã nhớ số bạn nhập", "038******001")
			b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {""}}).wantAt(t, anApply)
			b.get("/profile/identity").wantPage(t, 200, "038******001", "tự khai")
		})
	}
}

func TestAPopulationDatabaseThatIsDownStopsNobody(t *testing.T) {
	w := newWorld(t)
	w.dancu.srv.Close()
	b := w.browser()
	b.local("an.nguyen", "/profile").wantAt(t, "/identity/cccd")
	b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {an.cccd}}).wantAt(t, "/profile")
	b.get("/profile").wantPage(t, 200, "hiện chưa trả lời")
	w.browser().vneid(linh, "/").wantAt(t, "/link")
}

func TestEveryMismatchLooksTheSameAndTheReasonStaysInTheLog(t *testing.T) {
	w := newWorld(t)
	page := func(user, number string) string {
		b := w.browser()
		b.local(user, "/")
		p := b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {number}})
		p.wantPage(t, 422, "Thông tin chưa khớp với CSDL quốc gia về dân cư")
		if b.get("/profile/audit").has("other_name") || b.get("/profile/audit").has("unknown_number") {
			t.Error("the reason stands on the citizen's own page")
		}
		return strings.NewReplacer(number, "N").Replace(readable(p.body))
	}
	if unknown, other := page("an.nguyen", "038090000055"), page("an.nguyen", binh.cccd); unknown != other {
		t.Errorf("they differ:\n%s\n%s", unknown, other)
	}
	if log := w.log.String(); !strings.Contains(log, "other_name") || !strings.Contains(log, "unknown_number") || strings.Contains(log, binh.cccd) {
		t.Errorf("the log: %s", log)
	}
}

func TestNumbersCanNotBeTriedOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.local("an.nguyen", "/")
	for range numberTriesPerAccount {
		b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {"038090000055"}}).wantPage(t, 422)
	}
	asked := len(w.dancu.questions())
	b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {an.cccd}}).wantPage(t, 429, "thử lại sau 24 giờ", ">Bỏ qua<")
	// The number is tired too, whoever asks.
	other := w.browser()
	other.local("hai.vu", "/")
	other.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {"038090000055"}}).wantPage(t, 429)
	if len(w.dancu.questions()) != asked || !w.audited("dancu.limit") {
		t.Error("asked all the same, or not in the log")
	}
	w.advance(25 * time.Hour)
	b.local("an.nguyen", "/")
	b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {an.cccd}}).wantAt(t, "/")
}

func TestACCCDIsReadAsPeopleWriteIt(t *testing.T) {
	for typed, want := range map[string]string{
		"038090000001": an.cccd, " 038 090 000 001 ": an.cccd, "038.090.000.001": an.cccd, "038-090-000-001": an.cccd, "０３８０９００００００１": an.cccd, "٠٣٨٠٩٠٠٠٠٠٠١": an.cccd,
		"038\u00a0090\u00a0000001": an.cccd, "\u202e038090000001\u202c": an.cccd, "\t038090000001\n": an.cccd, "38090000001": an.cccd, "1302000010": "001302000010", "𝟎𝟑𝟖𝟎𝟗𝟎𝟎𝟎𝟎𝟎𝟎𝟏": an.cccd,
		"O38090000001": "", "03809000000l": "", "0380900000012": "", "171234567": "", "": "", "000090000001": "", "abc": "", "0380900+0001": "", "<038090000001>": "", strings.Repeat("0", 300): "", "０３８": "",
	} {
		if got := readCCCD(typed); got != want {
			t.Errorf("%q is read as %q, want %q", typed, got, want)
		}
	}
	for typed, want := range map[string]string{"15/03/1990": "1990-03-15", "5-3-1990": "1990-03-05", "1990-03-15": "1990-03-15", "1960": "1960", "30/02/1990": "", "15/03/90": "", "19900315": "", "9999": ""} {
		if got := readBirthdate(typed); got != want {
			t.Errorf("%q is read as %q, want %q", typed, got, want)
		}
	}
	for name, want := range map[string]string{"Nguyễn Văn  An": "NGUYENVANAN", "Nguyễn Văn An": "NGUYENVANAN", "ĐẶNG thế Sơn": "DANGTHESON", "<b>An</b> \u202e1": "BANB"} {
		if got := matchForm(name); got != want {
			t.Errorf("%q in match form is %q, want %q", name, got, want)
		}
	}
}

func TestANumberThatDisagreesWithThePersonIsOdd(t *testing.T) {
	for _, c := range []struct {
		cccd, birthdate, gender, want string
	}{
		{an.cccd, "1990-03-15", "male", ""}, {an.cccd, "1991", "male", "year of birth"}, {an.cccd, "1990", "female", "sex"}, {an.cccd, "", "", ""},
		{"038890000001", "1990-05-13", "male", ""}, {"038890000001", "1990-05-13", "female", "sex"}, // of the 24th century: a test person
		{"038890000001", "1991-05-13", "male", "year of birth"}, {"038290000001", "1990-05-13", "male", "year of birth"},
		{"", "1990", "male", ""}, {"000090000001", "1990", "male", "province"},
	} {
		if got := oddNumber(person{CCCD: c.cccd, Birthdate: c.birthdate, Gender: c.gender}); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func FuzzReadCCCD(f *testing.F) {
	for _, s := range []string{"038090000001", "０３８", "٠٣٨", "38 090.000-001", "\u202e0", strings.Repeat("9", 500), "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		got := readCCCD(typed)
		if got != "" && (!twelveDigits.MatchString(got) || readCCCD(got) != got) {
			t.Fatalf("%q is read as %q", typed, got)
		}
	})
}
