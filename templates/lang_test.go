package templates

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestBothLanguagesSayTheSameThings(t *testing.T) {
	placeholder := regexp.MustCompile(`%(?:\[\d+\])?.`)
	for key, vi := range messages[Vi] {
		en, ok := messages[En][key]
		if !ok {
			t.Errorf("%s is not in English", key)
			continue
		}
		if strings.TrimSpace(vi) != vi || strings.TrimSpace(en) != en || vi == "" || en == "" {
			t.Errorf("%s is empty or has spaces around it", key)
		}
		if v, e := placeholder.FindAllString(vi, -1), placeholder.FindAllString(en, -1); !slices.Equal(v, e) {
			t.Errorf("%s: placeholders %v and %v", key, v, e)
		}
		for _, text := range []string{vi, en} {
			if !norm.NFC.IsNormalString(text) {
				t.Errorf("%s is not NFC", key)
			}
		}
	}
	for key := range messages[En] {
		if !HasText(key) {
			t.Errorf("%s is not in Vietnamese", key)
		}
	}
}

// Texts that Vietnamese leaves without any accented letter are mostly texts
// somebody forgot to write properly.
func TestVietnameseIsWrittenWithItsDiacritics(t *testing.T) {
	plain := map[string]bool{
		"frame.brand": true, "frame.switch": true, "home.own.client": true, "home.own.secret": true,
		"home.own.redirect": true, "home.own.scope": true, "home.sandbox": true, "share.gender.male": true,
		"console.nav.sms": true, "console.nav.clients": true, "console.clients.title": true, "console.count.clients": true, "console.col.client": true,
		"console.group.client": true, "console.option.gender.male": true, "console.field.email": true, "console.option.second_factor.sms": true, "console.option.subject_type.public": true,
		"console.pages.next": true, "console.phones.open": true, "console.open.sms": true, "console.clock.advance.submit": true,
	}
	for key, text := range messages[Vi] {
		accented := strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f && r != '—' && r != '“' && r != '”' })
		if !accented && !plain[key] {
			t.Errorf("%s: %q", key, text)
		}
	}
}

// What the pages use exists, and nothing is left over that neither a page nor
// a handler (the families below) uses.
func TestTheCatalogueIsWhatThePagesAsk(t *testing.T) {
	used := map[string]bool{}
	ask := regexp.MustCompile(`(?:\bT|errorTitle\() ?\(?"([^"]+)"`)
	read := func(text []byte) {
		for _, m := range ask.FindAllSubmatch(text, -1) {
			if key := string(m[1]); !strings.HasSuffix(key, ".") { // else the rest of the key is added as the page is drawn
				used[key] = true
			}
		}
	}
	files, err := fs.Glob(htmlFiles, "html/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := htmlFiles.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		read(text)
	}
	for _, file := range []string{"views.go", "phone_views.go", "console_views.go", "console_forms.go", "record_views.go", "lint_views.go", "fault_views.go"} {
		views, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		read(views)
	}
	for key := range used {
		if !HasText(key) {
			t.Errorf("a page asks for %s, which is no message", key)
		}
	}
	forHandlers := regexp.MustCompile(`^(?:error|cccd|share|issuer|person|console\.(?:nav|severity|party|step|result|count|group|field|option|said|wrong|taken|uri|check|fact|config|secret|keys|faults\.grade|phone\.none)|signout\.stayed|phone\.(?:method|device|done|refused|disowned|removed))\.|^(?:frame\.banner|login\.wrong|login\.wrong\.next|login\.password\.empty|otp\.resent|sharing\.agree\.missing|message\.back|message\.again|token\.wrong|phone\.again|phone\.kiosk)$`)
	for key := range messages[Vi] {
		if !used[key] && !forHandlers.MatchString(key) {
			t.Errorf("nothing uses %s", key)
		}
	}
}

func TestEveryProblemSaysWhatWhyAndWhatNext(t *testing.T) {
	for _, code := range []string{
		"login_not_found", "login_expired", "login_done", "other_browser", "cookies_disabled", "form_stale",
		"account_locked", "account_not_activated", "account_no_phone", "account_level_too_low",
		"too_many_passwords", "too_many_otps", "too_many_sms", "otp_wrong", "otp_expired", "otp_malformed", "otp_too_soon",
		"bad_request_parameter", "unknown_client", "redirect_uri_invalid", "redirect_uri_missing", "request_invalid",
		"logout_redirect_invalid", "not_found", "method_not_allowed", "too_large", "invalid_utf8", "host_refused",
		"overloaded", "unavailable", "internal", "qr_refused", "qr_other_browser", "qr_too_many",
		"activation_over", "activation_unproved", "passcode_format", "passcode_wrong", "passcode_locked", "passcode_needed", "app_locked", "device_replaced",
		"qr_empty", "qr_foreign", "qr_unknown", "qr_expired", "qr_replaced", "qr_used", "qr_taken", "qr_other_phone", "qr_level", "web_login_off",
		"too_many_codes", "match_needed", "match_wrong", "sign_in_unknown", "call_stale", "call_replayed", "call_malformed", "call_forged", "too_many_calls",
		"picture_missing", "picture_unreadable", "picture_too_large", "picture_no_qr",
	} {
		for _, part := range []string{"title", "what", "why", "next"} {
			if key := "error." + code + "." + part; !HasText(key) {
				t.Errorf("no text %s", key)
			}
		}
		for _, lang := range []Lang{Vi, En} {
			v := Problem(Frame{Lang: lang}, code, 15)
			if all := v.Title + v.What + v.Why + v.Next; strings.Contains(all, "%") {
				t.Errorf("%s: %s", code, all)
			}
		}
	}
}

func TestOnlyTheSpokenLanguagesParse(t *testing.T) {
	for in, want := range map[string]struct {
		lang Lang
		ok   bool
	}{
		"vi": {Vi, true}, "EN": {En, true}, "en-US": {En, true}, " vi-VN": {Vi, true},
		"": {Vi, false}, "fr": {Vi, false}, "english": {Vi, false}, "en_US": {Vi, false},
	} {
		if lang, ok := ParseLang(in); lang != want.lang || ok != want.ok {
			t.Errorf("ParseLang(%q) = %s, %v", in, lang, ok)
		}
	}
}

func TestAnUnknownKeyComesBackAsItself(t *testing.T) {
	if got := Text(Vi, "no.such.key", 1); got != "no.such.key" || HasText("no.such.key") {
		t.Errorf("got %q", got)
	}
	if got := Text(En, "cccd.length", 13); got != "The personal identification number has 12 digits; you entered 13." {
		t.Errorf("got %q", got)
	}
	if got := Text(Vi, "cccd.empty", 13); got != "Hãy nhập số định danh cá nhân." {
		t.Errorf("got %q", got)
	}
}
