package templates

// recordFixtures are the states of the records in the console.
func recordFixtures(f Frame) map[string]View {
	const at = "2026-11-22T09:30:05+07:00"
	o := OnConsole{Now: at}
	results := []string{"pending", "code_issued", "signed_in", "refused", "locked", "expired", "rejected"}
	records := []ConsoleRecord{
		{ID: "Zq3mT0cV", Client: "my-portal", Result: "rejected", Error: "redirect_uri_invalid", StartedAt: at},
		{ID: "aB7xK2pL", Client: "thanhhoa-portal", CCCD: "038******001", Result: "signed_in", StartedAt: at},
		{ID: "hH4nW9qR", Client: "thanhhoa-portal", CCCD: "038******004", Result: "refused", Error: "account_locked", StartedAt: at},
		{ID: "tY8uE3sD", Client: "my-portal", Result: "pending", StartedAt: at},
	}
	hint := ConsoleHint{What: f.T("message.why"), Change: f.T("message.next"), WhatOther: "The code was redeemed twice.", ChangeOther: "Redeem a code once.", OtherLang: "en", Reference: "RFC 6749 §4.1.2"}
	advice := hint
	advice.Advice, advice.Reference = true, "OIDC Core §3.1.2.1"
	steps := []ConsoleStep{
		{Number: 1, At: at, From: "browser", To: "provider", Kind: "authorize", Line: "GET /authorize", Status: 303, Millis: "0.4", Peer: "127.0.0.1", Agent: "Mozilla/5.0",
			Request: []ConsoleField{{"client_id", "thanhhoa-portal", "query", false}, {"redirect_uri", "http://127.0.0.1:9999/callback", "query", false}, {"state", "xyz", "query", false}},
			Checks:  []ConsoleStepCheck{{"client_id", "", true}, {"redirect_uri", "registered", true}}, Hints: []ConsoleHint{advice},
			Curl: "curl -i -G 'http://localhost:9998/authorize' \\\n  --data-urlencode 'client_id=thanhhoa-portal'"},
		{Number: 2, At: at, From: "browser", To: "provider", Kind: "password", Line: "POST /login/aB7xK2pL/password", Status: 303, Millis: "41.2",
			Request: []ConsoleField{{"username", "038******001", "body", false}, {"password", "•••", "body", true}}},
		{Number: 3, At: at, From: "provider", To: "sms", Kind: "sms", Request: []ConsoleField{{"to", "095****001", "", false}}},
		{Number: 4, At: at, From: "phone", To: "provider", Kind: "confirm", Line: "POST /phoneapi/v1/confirm", Status: 200, Millis: "1.1"},
		{Number: 5, At: at, From: "provider", To: "rp", Kind: "answer", Line: "http://127.0.0.1:9999/callback", Request: []ConsoleField{{"code", "#aB3dE6gH", "", true}}},
		{Number: 6, At: at, From: "rp", To: "provider", Kind: "token", Line: "POST /oauth/token", Status: 200, Millis: "3.0",
			Response: []ConsoleField{{"access_token", "#zZ1yY2xX", "", true}}, Tokens: []ConsoleToken{{"id_token", "{\n  \"alg\": \"RS256\"\n}", "{\n  \"acr\": \"LoA2\",\n  \"cccd\": \"038******001\"\n}"}}},
		{Number: 7, At: at, From: "rp", To: "provider", Kind: "token", Line: "POST /oauth/token", Status: 400, Millis: "0.9", Error: "invalid_grant", Detail: "the code was redeemed before",
			Checks: []ConsoleStepCheck{{"client_authentication", "client_secret_basic", true}, {"code", "redeemed", false}}, Hints: []ConsoleHint{hint}},
	}
	return map[string]View{
		"console-logins":      ConsoleRecordsView{Frame: f, OnConsole: o, Results: results, Records: records, Most: 100},
		"console-logins-none": ConsoleRecordsView{Frame: f, OnConsole: o, Results: results, Most: 100},
		"console-logins-wrong": ConsoleRecordsView{Frame: f, OnConsole: o, Results: results, Most: 100, CCCD: "123", ClientID: "my-portal", Result: "refused",
			Wrong: f.T("cccd.length", 3)},
		"console-login":       ConsoleRecordView{Frame: f, OnConsole: o, Record: records[1], Steps: steps, Export: "/console/logins/aB7xK2pL/export.md"},
		"console-login-empty": ConsoleRecordView{Frame: f, OnConsole: o, Record: records[3], Export: "/console/logins/tY8uE3sD/export.md"},
	}
}
