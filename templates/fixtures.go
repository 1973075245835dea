package templates

import "maps"

// Fixtures are every state of every page on canned data, in Vietnamese: the
// storybook. Golden files and screenshots are made of them.
func Fixtures() map[string]View { return FixturesIn(Vi) }

// FixturesIn are the fixtures with all their texts in language l.
func FixturesIn(l Lang) map[string]View {
	other := map[Lang]string{Vi: "?lang=en", En: "?lang=vi"}[l]
	f := Frame{Lang: l, SwitchURL: other}
	sandboxFrame := Frame{Lang: l, SwitchURL: other, HomeURL: "/"}
	text := func(key string, args ...any) string { return Text(l, key, args...) }

	const (
		client  = "Cổng dịch vụ công tỉnh Thanh Hóa (bản mẫu)"
		host    = "127.0.0.1:9999"
		portal  = "http://127.0.0.1:9999/"
		sandbox = "http://localhost:9997"
	)

	login := LoginView{
		Frame: f, Action: "/login/abc123", ClientName: client, ClientHost: host,
		CancelAction: "/login/abc123/cancel", HelpURL: sandbox + "/",
	}
	login.QR = QR{
		State: QRFresh, ImageURL: "/login/abc123/qr.svg?g=1", RefreshAction: "/login/abc123/qr", WaitURL: "/login/abc123/waiting?g=1",
		EventsURL: "/login/abc123/events?g=1", LoginURL: "/login/abc123", SecondsLeft: 118, Short: "7K3M-0QZ9", PhoneURL: sandbox + "/phone",
	}
	loginError := login
	loginError.Username = "38090000001"
	loginError.FieldError = map[string]string{"username": text("cccd.lost_zero"), "password": text("login.password.empty")}
	loginWrong := login
	loginWrong.Username = "038090000001"
	loginWrong.Error, loginWrong.Retry = text("login.wrong"), text("login.wrong.next")
	loginLocked := login
	loginLocked.Username, loginLocked.LockedMinutes = "038090000001", 15
	loginBare := login
	loginBare.CancelAction, loginBare.HelpURL, loginBare.QR = "", "", QR{}
	withQR := func(change func(*QR)) LoginView {
		v := login
		v.QR.ImageURL, v.QR.Short, v.QR.PhoneURL = "", "", ""
		change(&v.QR)
		return v
	}
	loginScanned := withQR(func(q *QR) {
		q.State, q.By, q.At = QRScanned, "Nguyễn V** A**", "2026-11-22T09:30:05+07:00"
	})
	loginMatch := loginScanned
	loginMatch.QR.Digits = "47"
	loginQRExpired := withQR(func(q *QR) { q.State, q.EventsURL, q.SecondsLeft = QRExpired, "", 0 })
	loginElsewhere := withQR(func(q *QR) { q.State, q.EventsURL = QRElsewhere, "" })
	loginSpent := withQR(func(q *QR) { q.State, q.EventsURL, q.RefreshAction = QRSpent, "", "" })
	waiting := func(v LoginView) WaitingView {
		return WaitingView{Frame: f, ClientName: client, ClientHost: host, QR: v.QR}
	}

	otp := OTPView{
		Frame: f, Action: "/login/abc123/otp", ResendAction: "/login/abc123/resend", CancelAction: "/login/abc123/cancel", ClientName: client, ClientHost: host, MaskedPhone: "095****001",
		SecondsLeft: 118, ResendIn: 28, TriesLeft: 5, HelpURL: sandbox + "/sms",
	}
	otpWrong := otp
	otpWrong.Error, otpWrong.TriesLeft, otpWrong.SecondsLeft, otpWrong.ResendIn = text("error.otp_wrong.what"), 3, 84, 0
	otpLast := otpWrong
	otpLast.TriesLeft, otpLast.Error = 1, text("error.otp_malformed.what")
	otpResend := otp
	otpResend.Notice, otpResend.SecondsLeft, otpResend.ResendIn = text("otp.resent"), 120, 30
	otpExpired := otp
	otpExpired.SecondsLeft, otpExpired.ResendIn, otpExpired.Error = 0, 0, text("error.otp_expired.what")
	otpExpired.TriesLeft = 0

	item := func(name, value string) SharedItem {
		return SharedItem{Label: text("share." + name), Value: value, Why: text("share." + name + ".why")}
	}
	sharing := SharingView{
		Frame: f, Action: "/login/abc123/sharing", ClientName: client, ClientHost: host,
		PersonName: "Nguyễn Văn An",
		Items: []SharedItem{
			item("cccd", "038090000001"), item("name", "Nguyễn Văn An"), item("birthdate", "15/03/1990"),
			item("phone", "0950000001"), item("account_level", "2"),
		},
	}
	sharingUnticked := sharing
	sharingUnticked.Error = text("sharing.agree.missing")
	sharingOffline := sharing
	sharingOffline.Offline = true
	sharingOffline.Items = append(sharingOffline.Items[:len(sharing.Items):len(sharing.Items)],
		item("gender", "Nam"), item("email", ""), item("cmnd", "171234567"),
		item("address", "Số 12, đường Lê Lợi, phường Hạc Thành, tỉnh Thanh Hóa"))

	back := Link{Text: text("message.back", client), URL: portal, Primary: true}
	failure := Problem(f, "internal")
	failure.Status, failure.RequestID = 500, "01JD9Z3V7Q"
	expired := Problem(f, "login_expired")
	expired.Status, expired.Links = 400, []Link{back}
	redirect := Problem(f, "redirect_uri_invalid")
	redirect.Status, redirect.RequestID = 400, "01JD9Z3V7R"
	redirect.RecordURL = "http://localhost:9997/console/logins/Zq3mT0cV"
	redirect.Technical = "redirect_uri http://127.0.0.1:9999/calback is not one of the client's redirect_uris"
	done := Problem(f, "login_done")
	done.Links = []Link{back}
	tooMany := Problem(f, "too_many_passwords", 15)
	tooMany.Status, tooMany.Links = 429, []Link{back}
	locked := Problem(f, "account_locked")
	locked.Status = 403
	locked.Links = []Link{back, {Text: text("message.again"), URL: "/login/abc123"}}
	qrRefused := Problem(f, "qr_refused")
	qrRefused.Status, qrRefused.Links = 403, []Link{back}
	qrOther := Problem(f, "qr_other_browser")
	qrOther.Status, qrOther.Links = 403, []Link{back}
	notFound := Problem(sandboxFrame, "not_found")
	notFound.Status = 404

	home := HomeView{
		Frame: f, Issuer: "http://localhost:9998", SandboxURL: sandbox, PortalHint: portal,
		Password: "Sandbox@2024", Version: "v0.1.0 (1a2b3c4)",
		Personas: []PersonaRow{
			{"038090000001", "Nguyễn Văn An", "0950000001", "Mọi thứ đều chạy; tài khoản mức độ 2"},
			{"038188000004", "Phạm Thị Dung", "0950000004", "Tài khoản bị khóa"},
			{"038085000005", "Hoàng Văn Em", "0950000005", "Tin nhắn SMS không bao giờ tới"},
			{"038192000006", "Đỗ Thị Giang", "0950000006", "Tin nhắn SMS tới sau 90 giây"},
			{"001302000010", "Mai Anh Nguyệt", "", "Đăng ký tại Hà Nội; tài khoản không có số điện thoại"},
		},
	}
	token := TokenView{Frame: f, Action: "/sign-in", Back: "/sms"}
	tokenWrong := token
	tokenWrong.Error = text("token.wrong")

	homeTLS := home
	homeTLS.Issuer, homeTLS.SandboxURL, homeTLS.CAURL = "https://localhost:9998", "https://localhost:9997", "https://localhost:9997/ca.pem"
	homeEmpty := home
	homeEmpty.Personas, homeEmpty.PortalHint, homeEmpty.Version = nil, "", ""

	sms := SMSView{Frame: sandboxFrame, Refresh: true, Messages: []SMSRow{
		{ID: "2", To: "0950000006", OTP: "502718", Text: smsText("502718"), SentAt: "2026-11-22T09:31:40+07:00", Login: "d4e5f6"},
		{ID: "1", To: "0950000001", OTP: "047311", Text: smsText("047311"), SentAt: "2026-11-22T09:30:05+07:00", Login: "abc123"},
	}}
	smsFiltered := sms
	smsFiltered.To, smsFiltered.Messages = "0950000001", sms.Messages[1:]
	smsEmpty := sms
	smsEmpty.Messages = nil
	smsEmptyFiltered := smsEmpty
	smsEmptyFiltered.To, smsEmptyFiltered.Refresh = "0950000005", false

	all := map[string]View{
		"login": login, "login-error": loginError, "login-wrong": loginWrong, "login-locked": loginLocked, "login-bare": loginBare,
		"login-scanned": loginScanned, "login-scanned-digits": loginMatch, "login-qr-expired": loginQRExpired,
		"login-qr-elsewhere": loginElsewhere, "login-qr-spent": loginSpent,
		"waiting":         waiting(withQR(func(*QR) {})),
		"waiting-scanned": waiting(loginScanned), "waiting-scanned-digits": waiting(loginMatch), "waiting-expired": waiting(loginQRExpired),
		"message-qr-refused": qrRefused, "message-qr-other-browser": qrOther,
		"otp": otp, "otp-wrong": otpWrong, "otp-last-try": otpLast, "otp-resend": otpResend, "otp-expired": otpExpired,
		"sharing": sharing, "sharing-unticked": sharingUnticked, "sharing-offline": sharingOffline,
		"sign-out":          SignOutConfirmView{Frame: f, Action: "/end_session/confirm", ClientName: client, PersonName: "Nguyễn Văn An"},
		"sign-out-unknown":  SignOutConfirmView{Frame: f, Action: "/end_session/confirm"},
		"signed-out":        SignedOutView{Frame: f, ClientName: client, BackURL: portal, WasSignedIn: true},
		"signed-out-nobody": SignedOutView{Frame: f},
		"signed-out-frames": SignedOutView{Frame: f, ClientName: client, BackURL: portal, WasSignedIn: true,
			Frames: []string{"http://127.0.0.1:9999/frontchannel-logout?iss=http%3A%2F%2Flocalhost%3A9998&sid=s1d"}},
		"account":              AccountView{Frame: f, Action: "/login/abc123/account", OtherURL: "/login/abc123?other=1", ClientName: client, ClientHost: host, PersonName: "Nguyễn Văn An"},
		"message-internal":     failure,
		"message-expired":      expired,
		"message-redirect-uri": redirect,
		"message-done":         done,
		"message-too-many":     tooMany,
		"message-locked":       locked,
		"message-not-found":    notFound,
		"form-post": FormPostView{Frame: f, Action: "http://127.0.0.1:9999/callback", ClientName: client, Fields: []Field{
			{"code", "c0de"}, {"state", "st&te"}, {"iss", "http://localhost:9998"},
		}},
		"home": home, "home-tls": homeTLS, "home-empty": homeEmpty,
		"sms": sms, "sms-filtered": smsFiltered, "sms-empty": smsEmpty, "sms-empty-filtered": smsEmptyFiltered,
	}
	maps.Copy(all, phoneFixtures(l, sandboxFrame))
	maps.Copy(all, consoleFixtures(l, sandboxFrame))
	maps.Copy(all, recordFixtures(sandboxFrame))
	maps.Copy(all, lintFixtures(sandboxFrame))
	maps.Copy(all, faultFixtures(sandboxFrame))
	return all
}

// smsText is a message as the provider words it.
func smsText(otp string) string {
	return "[THỬ NGHIỆM] Mã OTP đăng nhập Cổng Dịch vụ công tỉnh Thanh Hóa (bản mẫu) của bạn là " + otp +
		", có hiệu lực trong 120 giây. Không đưa mã này cho bất kỳ ai."
}
