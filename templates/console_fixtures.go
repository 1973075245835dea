package templates

// consoleFixtures are the states of the console.
func consoleFixtures(l Lang, f Frame) map[string]View {
	text := func(key string, args ...any) string { return Text(l, key, args...) }
	const (
		an     = "038090000001"
		issuer = "http://localhost:9998"
		at     = "2026-11-22T09:30:05+07:00"
		later  = "2026-11-22T17:30:05+07:00"
	)
	o := OnConsole{Now: at}
	moved := OnConsole{Now: later, Offset: "+8h0m0s", Said: "clock-moved"}
	said := func(what string) OnConsole { return OnConsole{Now: at, Said: what} }

	people := []ConsolePerson{
		{CCCD: an, Name: "Nguyễn Văn An", Phone: "0950000001", Note: "Mọi thứ đều chạy; tài khoản mức độ 2", Level: 2, Status: "active", SMS: "instant", WebLogin: true},
		{CCCD: "038190000002", Name: "Lê Thị Bình", Phone: "0950000002", Note: "“Đăng nhập trên website” đang tắt", Level: 2, Status: "active", SMS: "instant"},
		{CCCD: "038188000004", Name: "Phạm Thị Dung", Phone: "0950000004", Note: "Tài khoản bị khóa", Level: 2, Status: "locked", SMS: "instant", WebLogin: true},
		{CCCD: "038085000005", Name: "Hoàng Văn Em", Phone: "0950000005", Note: "Tin nhắn SMS không bao giờ tới", Level: 2, Status: "active", SMS: "never", WebLogin: true},
		{CCCD: "038192000006", Name: "Đỗ Thị Giang", Phone: "0950000006", Note: "Tin nhắn SMS tới sau 90 giây", Level: 1, Status: "active", SMS: "late", WebLogin: true},
		{CCCD: "001302000010", Name: "Mai Anh Nguyệt", Note: "Không có số điện thoại", Level: 2, Status: "not_activated", SMS: "instant", WebLogin: true},
	}
	messages := []SMSRow{
		{ID: "2", To: "0950000006", OTP: "502718", Text: smsText("502718"), SentAt: "2026-11-22T09:31:40+07:00", Login: "d4e5f6"},
		{ID: "1", To: "0950000001", OTP: "047311", Text: smsText("047311"), SentAt: at, Login: "abc123"},
	}
	overview := ConsoleOverviewView{Frame: f, OnConsole: o, Issuer: issuer, Portal: "http://127.0.0.1:9999", Version: "v0.1.0 (1a2b3c4)", Messages: messages,
		Example: &ConsoleExample{CCCD: an, Name: "Nguyễn Văn An", Phone: "0950000001", Password: "Sandbox@2024", Passcode: "123456"},
		Counts: []ConsoleCount{{"personas", "13", "/console/personas"}, {"phones", "2", "/console/phones"}, {"clients", "3", "/console/clients"},
			{"sessions", "1", "/console/sessions"}}}
	bare := ConsoleOverviewView{Frame: f, OnConsole: OnConsole{World: "lop-12a", Now: later, Offset: "+8h0m0s"}, Issuer: issuer + "/w/lop-12a",
		Counts: []ConsoleCount{{"personas", "0", "/console/personas"}}}

	list := ConsolePersonasView{Frame: f, OnConsole: o, People: people, Paging: Paging{First: true, Next: "?after=001302000010"}}
	found := ConsolePersonasView{Frame: f, OnConsole: said("person-deleted"), People: people[:1], Paging: Paging{Query: "nguyễn"}}
	nobody := ConsolePersonasView{Frame: f, OnConsole: o, Paging: Paging{Query: "không ai", First: true}}

	filled := Form{Values: map[string][]string{"cccd": {an}, "name": {"Nguyễn Văn An"}, "birthdate": {"1990-03-15"}, "gender": {"male"}, "status": {"active"},
		"account_level": {"2"}, "account_type": {"citizen"}, "phone": {"0950000001"}, "sms": {"instant"}, "web_login": {"true"}, "email": {"an@example.test"},
		"street": {"12 Lê Lợi"}, "commune": {"Phường Hạc Thành"}, "province": {"Tỉnh Thanh Hóa"}, "note": {"Mọi thứ đều chạy"}}}
	wrong := Form{Values: map[string][]string{"cccd": {"38090000001"}, "name": {""}, "birthdate": {"15/3/1990"}, "email": {"x"}, "gender": {"male"}},
		Wrong: map[string]string{"cccd": text("cccd.lost_zero"), "name": text("console.wrong.name"), "birthdate": text("console.wrong.birthdate"), "email": text("console.wrong.email")}}
	person := ConsolePersonView{Frame: f, OnConsole: said("person-saved"), Person: people[0], Password: "Sandbox@2024", Passcode: "123456", Form: filled}
	locked := ConsolePersonView{Frame: f, OnConsole: o, Person: people[2], Password: "Sandbox@2024", Form: wrong}

	phones := []ConsolePhone{
		{CCCD: an, Name: "Nguyễn Văn An", Device: "Chrome trên Android", ActivatedAt: at, Unlocked: true, WebLogin: true},
		{CCCD: "038190000002", Name: "Lê Thị Bình", Device: "Điện thoại thử nghiệm", ActivatedAt: at, Ready: true},
	}
	signIns := []ConsoleSignIn{
		{Login: "abc", Client: "Cổng dịch vụ công tỉnh Thanh Hóa (bản mẫu)", Host: "127.0.0.1:9999", Browser: "Chrome trên Windows", IP: "127.0.0.1", At: at, Method: text("phone.method.qr"), Session: "s1"},
		{Login: "def", Client: "Cổng của bạn", Host: "localhost:3000", Browser: "Firefox trên Linux", IP: "192.168.1.20", At: at, Method: text("phone.method.otp")},
	}

	clients := []ConsoleClient{
		{ID: "my-portal", Name: "Cổng của bạn", Method: "client_secret_basic", Consent: "once", RedirectURIs: []string{"http://localhost/callback", "http://127.0.0.1/callback"}},
		{ID: "thanhhoa-portal", Name: "Cổng dịch vụ công tỉnh Thanh Hóa (bản mẫu)", Method: "client_secret_basic", Consent: "never", RedirectURIs: []string{"http://127.0.0.1:9999/callback"}},
	}
	options := map[string][]string{"token_endpoint_auth_method": {"client_secret_basic", "client_secret_post", "none"}, "scope": {"openid", "profile", "cccd"},
		"grant_types": {"authorization_code", "refresh_token"}, "id_token_signed_response_alg": {"RS256", "ES256"}, "id_token_claims": {"name", "cccd"}}
	clientForm := Form{Options: options, Values: map[string][]string{"client_name": {"Cổng của bạn"}, "redirect_uris": {"http://localhost/callback\nhttp://127.0.0.1/callback"},
		"token_endpoint_auth_method": {"client_secret_basic"}, "scope": {"openid", "profile"}, "consent": {"once"}, "grant_types": {"authorization_code"},
		"id_token_signed_response_alg": {"RS256"}, "subject_type": {"pairwise"}, "min_account_level": {"0"}}}
	client := ConsoleClientView{Frame: f, OnConsole: o, Client: clients[0], Issuer: issuer, Form: clientForm, Snippets: []ConsoleSnippet{
		{"go", "Go (go-oidc)", "main.go", "provider, err := oidc.NewProvider(ctx, \"" + issuer + "\")\n"},
		{"php", "PHP", "callback.php", "<?php\n$oidc = new OpenIDConnectClient('" + issuer + "');\n"},
	}}
	fresh := client
	fresh.Secret = "0eueLdZi6Na37whefzoZH7oyJ7YCnnIduzPeUYxVa2A"
	public := client
	public.Client.Method = "none"
	clientWrong := Form{Options: options, Values: map[string][]string{"client_id": {"cổng"}, "redirect_uris": {"https://dichvucong.gov.vn/cb"}},
		Wrong: map[string]string{"client_id": text("console.wrong.client_id"), "redirect_uris": text("console.wrong.line", 1) + " " + text("console.uri.gov") + "."}}

	sessions := []ConsoleSession{
		{ID: "s1", CCCD: an, Name: "Nguyễn Văn An", ACR: "LoA2", Method: text("phone.method.qr"), Clients: []string{"Cổng của bạn", "Cổng dịch vụ công tỉnh Thanh Hóa (bản mẫu)"}, CreatedAt: at, ExpiresAt: later},
		{ID: "s2", CCCD: "038190000002", Name: "Lê Thị Bình", ACR: "LoA2", Method: text("phone.method.otp"), CreatedAt: at, ExpiresAt: later},
	}
	algs := []ConsoleAlg{
		{Alg: "RS256", Next: "publish", Keys: []ConsoleKey{{"k3", "active", at}, {"k1", "retired", at}}},
		{Alg: "ES256", Next: "use", Keys: []ConsoleKey{{"k5", "next", at}, {"k4", "active", at}}},
		{Alg: "EdDSA", Next: "retire", Keys: []ConsoleKey{{"k7", "active", at}, {"k6", "former", at}}},
	}
	clockWrong := Form{Values: map[string][]string{"advance": {"bao lâu?"}, "set": {"mai"}},
		Wrong: map[string]string{"advance": text("console.wrong.advance"), "set": text("console.wrong.set")}}

	worlds := []ConsoleWorld{{ID: "default", Issuer: issuer, API: "http://localhost:9997/api/v1"},
		{ID: "lop-12a", Issuer: issuer + "/w/lop-12a", URL: "/w/lop-12a", API: "http://localhost:9997/api/v1/w/lop-12a", CreatedAt: at, ExpiresAt: later}}

	return map[string]View{
		"console-overview": overview, "console-overview-empty": bare,
		"console-personas": list, "console-personas-found": found, "console-personas-none": nobody,
		"console-person": person, "console-person-wrong": locked,
		"console-person-new":       ConsoleNewPersonView{Frame: f, OnConsole: o, Form: filled},
		"console-person-new-wrong": ConsoleNewPersonView{Frame: f, OnConsole: o, Form: wrong},
		"console-sms":              ConsoleSMSView{Frame: f, OnConsole: o, Messages: messages},
		"console-sms-filtered":     ConsoleSMSView{Frame: f, OnConsole: o, To: "0950000005"},
		"console-phones":           ConsolePhonesView{Frame: f, OnConsole: said("web-login-off"), Phones: phones, Paging: Paging{First: true}},
		"console-phones-none":      ConsolePhonesView{Frame: f, OnConsole: o, Paging: Paging{First: true, Query: "123"}, Wrong: text("cccd.length", 3)},
		"console-phone":            ConsolePhoneView{Frame: f, OnConsole: o, Person: people[0], Phone: &phones[0], Scanned: "abc123", SignIns: signIns},
		"console-phone-ready":      ConsolePhoneView{Frame: f, OnConsole: said("phone-made"), Person: people[1], Phone: &phones[1], Passcode: "123456"},
		"console-phone-none":       ConsolePhoneView{Frame: f, OnConsole: o, Person: people[1]},
		"console-phone-never":      ConsolePhoneView{Frame: f, OnConsole: o, Person: people[2], WhyNone: "locked"},
		"console-clients":          ConsoleClientsView{Frame: f, OnConsole: o, Clients: clients, Paging: Paging{First: true}},
		"console-clients-none":     ConsoleClientsView{Frame: f, OnConsole: said("client-deleted"), Paging: Paging{First: true, Query: "x"}},
		"console-client":           client, "console-client-secret": fresh, "console-client-public": public,
		"console-client-new":       ConsoleNewClientView{Frame: f, OnConsole: o, Form: clientForm},
		"console-client-new-wrong": ConsoleNewClientView{Frame: f, OnConsole: o, Form: clientWrong},
		"console-sessions":         ConsoleSessionsView{Frame: f, OnConsole: o, Sessions: sessions, Paging: Paging{First: true}},
		"console-sessions-none":    ConsoleSessionsView{Frame: f, OnConsole: said("session-ended"), Paging: Paging{First: true}},
		"console-keys":             ConsoleKeysView{Frame: f, OnConsole: o, Algs: algs, JWKS: issuer + "/keys"},
		"console-keys-wrong":       ConsoleKeysView{Frame: f, OnConsole: o, Algs: algs[:1], JWKS: issuer + "/keys", Wrong: text("console.wrong.stage")},
		"console-clock":            ConsoleClockView{Frame: f, OnConsole: o, Real: at},
		"console-clock-moved":      ConsoleClockView{Frame: f, OnConsole: moved, Real: at, Form: clockWrong},
		"console-worlds":           ConsoleWorldsView{Frame: f, OnConsole: o, Worlds: worlds, Form: Form{Values: map[string][]string{"id": {"Lớp 12A"}}, Wrong: map[string]string{"id": text("console.wrong.id")}}},
		"console-worlds-made":      ConsoleWorldsView{Frame: f, OnConsole: o, Worlds: worlds, Made: &worlds[1], Token: "0eueLdZi6Na37whefzoZH7oyJ7YCnnIduzPeUYxVa2A"},
		"console-worlds-inside":    ConsoleWorldsView{Frame: f, OnConsole: OnConsole{World: "lop-12a", Now: at, Said: "world-reset"}, Default: "/console/worlds", Worlds: worlds[1:]},
		"console-transfer":         ConsoleTransferView{Frame: f, OnConsole: o, Form: Form{Values: map[string][]string{"format": {"yaml"}}}},
		"console-transfer-wrong":   ConsoleTransferView{Frame: f, OnConsole: o, Form: Form{Values: map[string][]string{"format": {"csv"}, "content": {"cccd,name\n1,An"}}}, Mistakes: []ConsoleMistake{{"line 2: cccd", "1 digits instead of 12"}}},
		"console-config": ConsoleConfigView{Frame: f, OnConsole: o, Groups: []ConsoleSettings{
			{"settings", []ConsoleSetting{{"listen", "localhost:9998", ""}, {"sandbox_listen", "localhost:9997", "--sandbox-listen"}, {"database", "sqlite:var/sandbox.db", "sandbox.yaml:3"}}},
			{"policy", []ConsoleSetting{{"otp_lifetime", "2m0s", ""}}}, {"secrets", []ConsoleSetting{{"VNEID_SANDBOX_TOKEN", text("console.secret.unset"), ""}}}}},
		"console-health": ConsoleHealthView{Frame: f, OnConsole: o,
			Checks: []ConsoleCheck{{"database", "sqlite, 0.2 ms", false}, {"provider", "127.0.0.1:9998", false}, {"logouts", "3", true}},
			Facts:  []ConsoleFact{{"version", "v0.1.0"}, {"go", "go1.26"}, {"memory", "12 MB"}}},
	}
}
