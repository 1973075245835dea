package fault

import "time"

func init() { parts = append(parts, sectionC, sectionC2) }

// What a relying party that does not notice goes on to do.
var (
	unnoticed    = []Signal{NoUserinfoCall, NoSession}
	mustBeTaken  = []Signal{Session}
	forPeople    = []Signal{Human}
	withAPage    = []Signal{NoRetry}
	nobodySigned = []Signal{NoSession}
)

// sectionC: wrong claims in an ID token that is right in every other way, signed
// by the right key.
var sectionC = []Fault{
	{
		ID: "C01", Name: "iss-wrong", Grade: Must, Seam: SeamIDToken, Signals: []Signal{NoUserinfoCall, NoSession},
		Title: Text{"iss là một nhà cung cấp khác", "iss names another provider"},
		What:  Text{"ID token mang iss của một máy chủ khác, chữ ký vẫn đúng.", "The ID token carries the iss of another server; its signature is right."},
		Right: Text{"So sánh iss từng byte với issuer đã cấu hình, sai thì từ chối đăng nhập.", "Compare iss byte by byte with the configured issuer; refuse the sign-in when it differs."},
		Spec:  []string{"OIDC Core §3.1.3.7 (2)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("iss", "https://other-issuer.test") }},
	},
	{
		ID: "C02", Name: "iss-nearly", Grade: Must, Seam: SeamIDToken, Signals: []Signal{NoUserinfoCall, NoSession},
		Title: Text{"iss gần giống", "iss nearly equal"},
		What:  Text{"iss chỉ khác issuer thật ở một chi tiết nhỏ.", "iss differs from the real issuer in one small detail."},
		Right: Text{"So sánh chính xác, không chuẩn hóa URL trước khi so.", "Compare exactly, without normalising URLs first."},
		Spec:  []string{"OIDC Core §3.1.3.7 (2)", "OIDC Discovery §4.3"},
		Variants: []Variant{
			{"trailing-slash", Text{"thêm dấu / ở cuối", "a slash at the end"}},
			{"case", Text{"chữ hoa trong tên máy (hoặc trong scheme)", "upper case in the host, or the scheme"}},
			{"scheme", Text{"http thay cho https hoặc ngược lại", "http for https, or the other way round"}},
			{"port", Text{"cổng khác", "another port"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) { t.Claims.Set("iss", nearly(t.Claims.String("iss"), x.Variant)) }},
	},
	{
		ID: "C03", Name: "iss-missing", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title:    Text{"Không có iss", "No iss"},
		What:     Text{"ID token thiếu iss, hoặc iss rỗng.", "The ID token lacks iss, or it is empty."},
		Right:    Text{"Từ chối: iss là bắt buộc.", "Refuse: iss is required."},
		Spec:     []string{"OIDC Core §2"},
		Variants: []Variant{{"missing", Text{"không có", "absent"}}, {"empty", Text{"chuỗi rỗng", "an empty string"}}},
		hooks:    hooks{idToken: func(x *Exchange, t *JWT) { dropOrEmpty(x, t, "iss") }},
	},
	{
		ID: "C04", Name: "iss-homoglyph", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"iss trông giống hệt", "iss that looks the same"},
		What:  Text{"Một ký tự của iss được thay bằng ký tự trông giống hệt trong bảng chữ khác.", "One character of iss is replaced by one of another alphabet that looks the same."},
		Right: Text{"So sánh từng byte.", "Compare the bytes."},
		Spec:  []string{"OIDC Core §3.1.3.7 (2)", "UTS 39"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("iss", lookalike(t.Claims.String("iss"))) }},
	},
	{
		ID: "C05", Name: "sub-missing", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"Không có sub", "No sub"},
		What:  Text{"ID token không nói về ai.", "The ID token is about nobody."},
		Right: Text{"Từ chối: sub là bắt buộc.", "Refuse: sub is required."},
		Spec:  []string{"OIDC Core §2"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Delete("sub") }},
	},
	{
		ID: "C06", Name: "sub-malformed", Grade: Should, Seam: SeamIDToken, Signals: nobodySigned,
		Title: Text{"sub sai dạng", "Malformed sub"},
		What:  Text{"sub rỗng, quá dài, không phải ASCII, hoặc không phải chuỗi; UserInfo nói giống vậy.", "sub is empty, too long, not ASCII, or no string; UserInfo says the same."},
		Right: Text{"Chỉ nhận chuỗi 1 đến 255 ký tự ASCII.", "Take only a string of 1 to 255 ASCII characters."},
		Spec:  []string{"OIDC Core §2"},
		Variants: []Variant{{"empty", Text{"rỗng", "empty"}}, {"long", Text{"300 ký tự", "300 characters"}}, {"non-ascii", Text{"có dấu tiếng Việt", "with Vietnamese letters"}},
			{"number", Text{"là số", "a number"}}, {"array", Text{"là mảng", "an array"}}},
		hooks: hooks{
			idToken:  func(x *Exchange, t *JWT) { t.Claims.Set("sub", malformedSub(x, t.Claims.String("sub"))) },
			userinfo: func(x *Exchange, o *Object) { o.Set("sub", malformedSub(x, o.String("sub"))) },
		},
	},
	{
		ID: "C07", Name: "sub-changed-between-logins", Grade: Must, Seam: SeamIDToken, Signals: forPeople,
		Title: Text{"Cùng một người, sub mới", "The same person with a new sub"},
		What:  Text{"Lần này cùng người đó có sub khác, ở cả ID token và UserInfo.", "This time the same person has another sub, in the ID token and in UserInfo."},
		Right: Text{"Coi là danh tính mới; không âm thầm tạo tài khoản thứ hai hay nhập vào tài khoản cũ.", "Treat it as a new identity; neither make a second account nor join the old one silently."},
		Spec:  []string{"OIDC Core §5.7"},
		hooks: bothSubs(func(sub string) string { return sub + "-2" }),
	},
	{
		ID: "C08", Name: "sub-reassigned", Grade: Should, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Cùng sub, người khác", "The same sub, another person"},
		What:  Text{"sub đã biết nay mang họ tên và số CCCD của người khác.", "A sub that is known now comes with another person's name and CCCD."},
		Right: Text{"Cảnh báo và yêu cầu liên kết lại, không ghi đè hồ sơ.", "Say so and ask to link anew; overwrite no record."},
		Spec:  []string{"OIDC Core §5.7"},
		hooks: bothClaims(func(o *Object) {
			replace(o, "name", "Hoàng Văn Khác")
			replace(o, "cccd", "038088000999")
			replace(o, "birthdate", "1988-08-08")
		}),
	},
	{
		ID: "C09", Name: "sub-case-changed", Grade: Must, Seam: SeamIDToken, Signals: forPeople,
		Title: Text{"sub đổi chữ hoa thành chữ thường", "sub in another case"},
		What:  Text{"sub chỉ khác chữ hoa, chữ thường, ở cả ID token và UserInfo.", "sub differs in case only, in the ID token and in UserInfo."},
		Right: Text{"sub phân biệt hoa thường: đây là một danh tính khác.", "sub is case sensitive: this is another identity."},
		Spec:  []string{"OIDC Core §2"},
		hooks: bothSubs(swapCase),
	},
	{
		ID: "C10", Name: "aud-wrong", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"aud là ứng dụng khác", "aud is another client"},
		What:  Text{"ID token được cấp cho một ứng dụng khác.", "The ID token is for another client."},
		Right: Text{"Từ chối khi aud không có client_id của mình.", "Refuse when aud does not hold the own client_id."},
		Spec:  []string{"OIDC Core §3.1.3.7 (3)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("aud", otherClient) }},
	},
	{
		ID: "C11", Name: "aud-missing", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"Không có aud", "No aud"},
		What:  Text{"ID token không nói dành cho ai.", "The ID token does not say whom it is for."},
		Right: Text{"Từ chối: aud là bắt buộc.", "Refuse: aud is required."},
		Spec:  []string{"OIDC Core §3.1.3.7 (3)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Delete("aud") }},
	},
	{
		ID: "C12", Name: "aud-array-own-only", Grade: Accept, Seam: SeamIDToken, Signals: mustBeTaken,
		Title: Text{"aud là mảng một phần tử", "aud as an array of one"},
		What:  Text{"aud là [\"client_id\"], đúng theo chuẩn.", "aud is [\"client_id\"], as the standard allows."},
		Right: Text{"Chấp nhận.", "Accept it."},
		Spec:  []string{"OIDC Core §2"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("aud", []string{t.Claims.String("aud")}) }},
	},
	{
		ID: "C13", Name: "aud-extra-untrusted", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"aud có thêm ứng dụng lạ", "aud with an untrusted client besides"},
		What:  Text{"aud có client_id của cổng và một ứng dụng lạ, không có azp.", "aud holds the portal's client_id and a foreign one, without azp."},
		Right: Text{"Từ chối khi có đối tượng không tin cậy.", "Refuse audiences that are not trusted."},
		Spec:  []string{"OIDC Core §3.1.3.7 (3)", "OIDC Core §3.1.3.7 (4)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("aud", []string{t.Claims.String("aud"), otherClient}) }},
	},
	{
		ID: "C14", Name: "azp-wrong", Grade: Should, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"azp là ứng dụng khác", "azp is another client"},
		What:  Text{"aud đúng nhưng azp là ứng dụng khác.", "aud is right, and azp another client."},
		Right: Text{"Khi có azp thì so với client_id của mình.", "When there is azp, compare it with the own client_id."},
		Spec:  []string{"OIDC Core §3.1.3.7 (5)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("azp", otherClient) }},
	},
	{
		ID: "C15", Name: "aud-foreign-azp-own", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"aud lạ, azp của mình", "aud foreign, azp the own"},
		What:  Text{"aud là ứng dụng khác, azp là client_id của cổng.", "aud is another client, azp the portal's client_id."},
		Right: Text{"Từ chối: azp không thay cho aud.", "Refuse: azp does not stand in for aud."},
		Spec:  []string{"OIDC Core §3.1.3.7 (3)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			t.Claims.Set("azp", t.Claims.String("aud"))
			t.Claims.Set("aud", otherClient)
		}},
	},
	{
		ID: "C16", Name: "exp-past", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title:    Text{"ID token đã hết hạn", "The ID token has expired"},
		What:     Text{"exp nằm trong quá khứ.", "exp lies in the past."},
		Right:    Text{"Từ chối; độ lệch đồng hồ cho phép tối đa vài phút.", "Refuse; allow a few minutes of clock skew at most."},
		Spec:     []string{"OIDC Core §3.1.3.7 (9)"},
		Variants: []Variant{{"day", Text{"một ngày trước", "a day ago"}}, {"hour", Text{"một giờ trước", "an hour ago"}}, {"10-minutes", Text{"mười phút trước", "ten minutes ago"}}},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			ago := map[string]time.Duration{"hour": time.Hour, "10-minutes": 10 * time.Minute}[x.Variant]
			if ago == 0 {
				ago = 24 * time.Hour
			}
			t.Claims.Set("exp", x.Now().Add(-ago).Unix())
			t.Claims.Set("iat", x.Now().Add(-ago-5*time.Minute).Unix())
		}},
	},
	{
		ID: "C17", Name: "exp-missing", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"Không có exp", "No exp"},
		What:  Text{"ID token không bao giờ hết hạn.", "The ID token never expires."},
		Right: Text{"Từ chối: exp là bắt buộc.", "Refuse: exp is required."},
		Spec:  []string{"OIDC Core §2"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Delete("exp") }},
	},
	{
		ID: "C18", Name: "exp-malformed", Grade: Should, Seam: SeamIDToken, Signals: unnoticed,
		Title:    Text{"exp sai dạng", "Malformed exp"},
		What:     Text{"exp là chuỗi, số âm, hoặc năm 9999.", "exp is a string, negative, or in the year 9999."},
		Right:    Text{"exp là một số; giới hạn những giá trị vô lý.", "exp is a number; bound what makes no sense."},
		Spec:     []string{"RFC 7519 §2", "OIDC Core §2"},
		Variants: []Variant{{"string", Text{"chuỗi", "a string"}}, {"negative", Text{"số âm", "negative"}}, {"year-9999", Text{"năm 9999", "the year 9999"}}},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			switch x.Variant {
			case "negative":
				t.Claims.Set("exp", -t.Claims.Number("exp"))
			case "year-9999":
				t.Claims.Set("exp", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix())
			default:
				t.Claims.Set("exp", string(t.Claims.Raw("exp")))
			}
		}},
	},
	{
		ID: "C19", Name: "iat-future", Grade: Should, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"iat ở tương lai", "iat in the future"},
		What:  Text{"ID token được cấp vào ngày mai.", "The ID token was issued tomorrow."},
		Right: Text{"Từ chối token cấp quá xa so với bây giờ.", "Refuse tokens issued too far from now."},
		Spec:  []string{"OIDC Core §3.1.3.7 (10)"},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			t.Claims.Set("iat", x.Now().Add(24*time.Hour).Unix())
			t.Claims.Set("exp", x.Now().Add(25*time.Hour).Unix())
		}},
	},
	{
		ID: "C20", Name: "iat-missing", Grade: Must, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"Không có iat", "No iat"},
		What:  Text{"ID token không nói được cấp lúc nào.", "The ID token does not say when it was issued."},
		Right: Text{"Từ chối: iat là bắt buộc.", "Refuse: iat is required."},
		Spec:  []string{"OIDC Core §2"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Delete("iat") }},
	},
	{
		ID: "C21", Name: "iat-week-old", Grade: Either, Seam: SeamIDToken, Signals: forPeople,
		Title: Text{"ID token cấp từ tuần trước", "Issued a week ago"},
		What:  Text{"iat là bảy ngày trước, exp vẫn còn hạn.", "iat is of seven days ago, exp still ahead."},
		Right: Text{"Tùy chính sách của cổng; nên có giới hạn.", "The portal's policy; better have a bound."},
		Spec:  []string{"OIDC Core §3.1.3.7 (10)"},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) { t.Claims.Set("iat", x.Now().Add(-7*24*time.Hour).Unix()) }},
	},
	{
		ID: "C22", Name: "nbf-future", Grade: Should, Seam: SeamIDToken, Signals: unnoticed,
		Title: Text{"nbf ở tương lai", "nbf in the future"},
		What:  Text{"Token chưa có hiệu lực cho tới ngày mai.", "The token is not valid before tomorrow."},
		Right: Text{"Khi có nbf thì phải chờ tới lúc đó.", "When there is nbf, honour it."},
		Spec:  []string{"RFC 7519 §4.1.5"},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) { t.Claims.Set("nbf", x.Now().Add(24*time.Hour).Unix()) }},
	},
}
