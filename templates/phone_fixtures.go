package templates

// phoneFixtures are the states of the phone app.
func phoneFixtures(l Lang, f Frame) map[string]View {
	text := func(key string, args ...any) string { return Text(l, key, args...) }
	const (
		person  = "Nguyễn Văn An"
		client  = "Cổng dịch vụ công tỉnh Thanh Hóa (bản mẫu)"
		host    = "127.0.0.1:9999"
		browser = "Chrome trên Windows"
	)
	sentence := func(code string, args ...any) string {
		p := Problem(f, code, args...)
		return p.What + " " + p.Next
	}

	start := PhoneStartView{Frame: f}
	startError := PhoneStartView{Frame: f, Username: "38090000001",
		FieldError: map[string]string{"username": text("cccd.lost_zero"), "password": text("login.password.empty")}}
	startWrong := PhoneStartView{Frame: f, Username: "038090000001", Error: text("login.wrong"), Retry: text("login.wrong.next")}

	otp := PhoneOTPView{Frame: f, MaskedPhone: "095****001", SecondsLeft: 118, ResendIn: 28}
	otpWrong := otp
	otpWrong.Error, otpWrong.TriesLeft, otpWrong.ResendIn = sentence("otp_wrong"), 3, 0
	otpResent := otp
	otpResent.Notice = text("otp.resent")

	passcode := func(purpose string) PhonePasscodeView {
		return PhonePasscodeView{Frame: f, Action: "/phone/unlock", Purpose: purpose, PersonName: person}
	}
	unlock := passcode("unlock")
	unlock.Ready, unlock.CodeWaits = "123456", true
	unlockWrong := passcode("unlock")
	unlockWrong.Error, unlockWrong.TriesLeft = sentence("passcode_wrong"), 2
	unlockLast := unlockWrong
	unlockLast.TriesLeft = 1

	people := PhonePeopleView{Frame: f, People: []PhonePerson{
		{CCCD: "038090000001", Name: person, Note: "Mọi thứ đều chạy; tài khoản mức độ 2"},
		{CCCD: "038190000002", Name: "Lê Thị Bình", Note: "“Đăng nhập trên website” đang tắt", Own: true},
		{CCCD: "038188000004", Name: "Phạm Thị Dung", Note: "Tài khoản bị khóa", Why: "locked"},
		{CCCD: "038070000012", Name: "Tạ Văn Quang", Note: "Chưa kích hoạt", Why: "not_activated"},
	}}
	peopleSearch := people
	peopleSearch.Search, peopleSearch.Query, peopleSearch.More = true, "nguyễn", true
	peopleNone := PhonePeopleView{Frame: f, Search: true, Query: "không ai"}

	at := "2026-11-22T09:30:05+07:00"
	home := PhoneHomeView{Frame: f, Name: person, CCCD: "038090000001", Birthdate: "15/03/1990", Gender: text("share.gender.male"),
		Phone: "095****001", DeviceName: "Chrome trên Android", Level: 2, WebLogin: true}
	homeBusy := home
	homeBusy.WebLogin = false
	homeBusy.Codes = []PhoneCode{{Login: "abc", ClientName: client, Host: host, Browser: browser, IP: "127.0.0.1", Code: "047311", SecondsLeft: 84}}
	homeBusy.Recent = []PhoneSignIn{
		{Login: "abc", ClientName: client, Host: host, Browser: browser, IP: "127.0.0.1", At: at, Method: text("phone.method.qr"), Open: true, URL: "/phone/sign-ins/abc"},
		{Login: "def", ClientName: "Cổng của bạn", Host: "localhost:3000", Browser: "Firefox trên Linux", IP: "192.168.1.20", At: at, Method: text("phone.method.otp")},
	}

	scan := PhoneScanView{Frame: f}
	scanPicture := PhoneScanView{Frame: f, Error: sentence("picture_no_qr")}
	scanCode := PhoneScanView{Frame: f, Error: sentence("qr_empty"), CodeError: true}

	confirm := PhoneConfirmView{Frame: f, Login: "abc123", ClientName: client, Host: host, Browser: browser, IP: "127.0.0.1", At: at, SecondsLeft: 95}
	confirmAll := confirm
	confirmAll.Choices, confirmAll.AskPasscode, confirmAll.Ready = []int{27, 58, 91}, true, "123456"
	confirmNumber := confirmAll
	confirmNumber.Error, confirmNumber.WrongNumber = sentence("match_needed"), true
	confirmPasscode := confirm
	confirmPasscode.AskPasscode, confirmPasscode.Error = true, sentence("passcode_needed")
	confirmBare := confirm
	confirmBare.Browser, confirmBare.IP = "", ""

	confirmDevice := confirm
	confirmDevice.Host, confirmDevice.Device = text("phone.kiosk"), true
	confirmDevice.Shares = []string{text("share.cccd"), text("share.name"), text("share.birthdate")}

	done := PhoneDone(f, "done", client)
	done.Locked = true
	removed := PhoneNotice(f, "device_replaced")
	removed.Action, removed.Button = "/phone/leave", text("phone.removed.button")
	expired := PhoneNotice(f, "qr_expired")
	expired.Again = true

	all := map[string]View{
		"phone-start": start, "phone-start-error": startError, "phone-start-wrong": startWrong,
		"phone-start-locked": PhoneStartView{Frame: f, Username: "038090000001", LockedMinutes: 15},
		"phone-start-waits":  PhoneStartView{Frame: f, CodeWaits: true},
		"phone-otp":          otp, "phone-otp-wrong": otpWrong, "phone-otp-resent": otpResent,
		"phone-passcode-new": passcode("new"), "phone-passcode-on": passcode("on"), "phone-passcode-off": passcode("off"),
		"phone-unlock": unlock, "phone-unlock-wrong": unlockWrong, "phone-unlock-last": unlockLast,
		"phone-people": people, "phone-people-search": peopleSearch, "phone-people-none": peopleNone,
		"phone-home": home, "phone-home-busy": homeBusy,
		"phone-scan": scan, "phone-scan-no-qr": scanPicture, "phone-scan-empty": scanCode,
		"phone-ask":     PhoneAskView{Frame: f, Code: "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBBBBBBB"},
		"phone-confirm": confirm, "phone-confirm-all": confirmAll, "phone-confirm-number": confirmNumber,
		"phone-confirm-passcode": confirmPasscode, "phone-confirm-bare": confirmBare, "phone-confirm-device": confirmDevice,
		"phone-permission": PhonePermissionView{Frame: f, Login: "abc123", ClientName: client, Host: host},
		"phone-switch-off": PhoneSwitchView{Frame: f, CodeWaits: true}, "phone-switch-on": PhoneSwitchView{Frame: f, On: true},
		"phone-sign-in":  PhoneSignInView{Frame: f, SignIn: homeBusy.Recent[0]},
		"phone-done":     done,
		"phone-refused":  PhoneDone(f, "refused", client),
		"phone-disowned": PhoneDone(f, "disowned"),
		"phone-removed":  removed, "phone-notice-qr-expired": expired,
	}
	for _, code := range []string{"qr_level", "account_locked", "passcode_locked", "qr_foreign", "qr_unknown", "qr_replaced", "qr_used", "qr_taken",
		"qr_other_phone", "match_wrong", "too_many_codes", "activation_over"} {
		all["phone-notice-"+code] = PhoneNotice(f, code, 15)
	}
	return all
}
