package fault

import (
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

func init() { parts = append(parts, sectionJ) }

// sectionJ: who the person is. Claims that a linking portal has to handle with
// care, in UserInfo and, for clients that registered them there, in the ID
// token. The order of events (who linked first, who is signed in) is played by
// the linking exam.
var sectionJ = []Fault{
	{
		ID: "J01", Name: "level-downgraded", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Mức tài khoản giảm", "The account level fell"},
		What:  Text{"Hôm qua mức 2, hôm nay account_level là 1.", "Yesterday level 2, today account_level is 1."},
		Right: Text{"Giữ liên kết, từ chối dịch vụ cần mức 2, hướng dẫn nâng mức.", "Keep the link, refuse services of level 2, say how to get it."},
		Spec:  []string{"NIST SP 800-63C §5.4"},
		hooks: bothClaims(func(o *Object) { replace(o, "account_level", "1") }),
	},
	{
		ID: "J02", Name: "level-odd", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title:    Text{"Mức tài khoản lạ", "An odd account level"},
		What:     Text{"account_level không có, là số, là 3, hoặc là một chữ.", "account_level is absent, a number, 3, or a word."},
		Right:    Text{"Coi như mức thấp nhất; đọc số chặt chẽ.", "Treat it as the lowest level; parse numbers strictly."},
		Spec:     []string{"OIDC Core §5.1.2"},
		Variants: []Variant{{"missing", Text{"không có", "absent"}}, {"number", Text{"số 2 thay cho chuỗi", "the number 2, not the string"}}, {"unknown", Text{"mức 3", "level 3"}}, {"word", Text{"chữ high", "the word high"}}},
		hooks: bothClaims2(func(x *Exchange, o *Object) {
			switch x.Variant {
			case "number":
				replace(o, "account_level", 2)
			case "unknown":
				replace(o, "account_level", "3")
			case "word":
				replace(o, "account_level", "high")
			default:
				o.Delete("account_level")
			}
		}),
	},
	{
		ID: "J03", Name: "level-only-in-userinfo", Grade: Should, Seam: SeamIDToken, Signals: forPeople,
		Title: Text{"ID token và UserInfo nói mức khác nhau", "ID token and UserInfo disagree about the level"},
		What:  Text{"ID token nói account_level 1, UserInfo nói 2.", "The ID token says account_level 1, UserInfo says 2."},
		Right: Text{"Một nguồn duy nhất cho mức; khi mâu thuẫn lấy mức thấp.", "One source for the level; the lower one when they disagree."},
		Spec:  []string{"OIDC Core §5.3.2"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("account_level", "1") }},
	},
	{
		ID: "J04", Name: "cccd-missing", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Không có số CCCD", "No CCCD"},
		What:  Text{"cccd không có trong dữ liệu.", "cccd is not among the claims."},
		Right: Text{"Không tự liên kết; giải thích và có đường Bỏ qua.", "No linking by itself; explain, and offer to skip."},
		Spec:  []string{"OIDC Core §5.3.2"},
		hooks: bothClaims(func(o *Object) { o.Delete("cccd") }),
	},
	{
		ID: "J05", Name: "cccd-changed", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Số CCCD đổi, sub không đổi", "Another CCCD, the same sub"},
		What:  Text{"Cùng sub nhưng số CCCD mới (cấp lại, hoặc từ CMND 9 số).", "The same sub with a new CCCD (issued anew, or after the 9-digit CMND)."},
		Right: Text{"Khóa chính là iss và sub; giữ lịch sử, xác nhận trước khi chuyển hồ sơ.", "Key on iss and sub; keep history, confirm before moving files."},
		Spec:  []string{"OIDC Core §5.7"},
		hooks: bothClaims(func(o *Object) { replace(o, "cccd", sameBirthOther(o.String("cccd"))) }),
	},
	{
		ID: "J06", Name: "cmnd-legacy", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Kèm số CMND cũ", "With an old CMND"},
		What:  Text{"Có thêm cmnd 9 số trùng với tài khoản cũ ở cổng.", "A 9-digit cmnd comes with it, which an old local account may bear."},
		Right: Text{"Chỉ đối chiếu khi người dân xác nhận.", "Match only when the person confirms."},
		Spec:  []string{"NIST SP 800-63C §5.4"},
		hooks: bothClaims(func(o *Object) {
			if o.Has("cccd") {
				o.Set("cmnd", "171234567")
			}
		}),
	},
	{
		ID: "J08", Name: "cccd-already-linked", Grade: Must, Seam: SeamIDToken, Signals: forPeople,
		Title: Text{"CCCD đã liên kết với sub khác", "A CCCD that another sub is linked to"},
		What:  Text{"sub khác đến với số CCCD đã được liên kết.", "Another sub comes with a CCCD that is linked already."},
		Right: Text{"Từ chối, ghi nhật ký, không lấy liên kết của người trước.", "Refuse, write it down, take nobody's link away."},
		Spec:  []string{"NIST SP 800-63C §5.4", "OIDC Core §5.7"},
		hooks: bothSubs(func(sub string) string { return "other-" + sub }),
	},
	{
		ID: "J09", Name: "cccd-format", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Số CCCD viết kiểu khác", "A CCCD written otherwise"},
		What:  Text{"Có dấu cách, dấu chấm, chữ số toàn khổ hay Ả Rập, hoặc là số mất số 0 đầu.", "With spaces, dots, wide or Arabic-Indic digits, or as a number without its leading zero."},
		Right: Text{"Chuẩn hóa rồi kiểm tra đúng 12 chữ số ASCII; không được thì từ chối.", "Normalise, then demand 12 ASCII digits; refuse what is not."},
		Spec:  []string{"OIDC Core §5.1.2"},
		Variants: []Variant{{"spaces", Text{"có dấu cách", "with spaces"}}, {"dots", Text{"có dấu chấm", "with dots"}}, {"full-width", Text{"chữ số toàn khổ", "wide digits"}},
			{"arabic-indic", Text{"chữ số Ả Rập", "Arabic-Indic digits"}}, {"number", Text{"kiểu số, mất số 0 đầu", "a number, the leading zero lost"}}},
		hooks: bothClaims2(func(x *Exchange, o *Object) { changeCCCD(x, o) }),
	},
	{
		ID: "J10", Name: "cccd-homoglyph", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Chữ O thay số 0", "The letter O for the digit 0"},
		What:  Text{"Các số 0 trong CCCD là chữ O.", "The zeros of the CCCD are letters O."},
		Right: Text{"Từ chối: chỉ nhận chữ số.", "Refuse: digits only."},
		Spec:  []string{"UTS 39"},
		hooks: bothClaims(func(o *Object) { replace(o, "cccd", strings.ReplaceAll(o.String("cccd"), "0", "O")) }),
	},
	{
		ID: "J11", Name: "cccd-birth-disagrees", Grade: Should, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Số CCCD không khớp ngày sinh", "The CCCD does not fit the birth date"},
		What:  Text{"Thế kỷ, giới tính và năm trong số không khớp birthdate và gender.", "Century, sex and year within the number disagree with birthdate and gender."},
		Right: Text{"Ghi chú để kiểm tra, không tự chặn.", "Flag it for a look, do not block for that alone."},
		Spec:  []string{"Thông tư 59/2021/TT-BCA Điều 7"},
		hooks: bothClaims(func(o *Object) { replace(o, "cccd", "038288000777") }),
	},
	{
		ID: "J12", Name: "cccd-invalid-province", Grade: Should, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Mã tỉnh không có thật", "A province that is none"},
		What:  Text{"Số CCCD bắt đầu bằng 000.", "The CCCD begins with 000."},
		Right: Text{"Ghi chú để kiểm tra.", "Flag it for a look."},
		Spec:  []string{"Thông tư 59/2021/TT-BCA Điều 7"},
		hooks: bothClaims(func(o *Object) {
			if c := o.String("cccd"); len(c) == 12 {
				o.Set("cccd", "000"+c[3:])
			}
		}),
	},
	{
		ID: "J13", Name: "name-spelling", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title:    Text{"Họ tên viết kiểu khác", "A name spelt otherwise"},
		What:     Text{"Cùng tên nhưng dạng NFD, viết hoa, không dấu, hoặc thừa dấu cách.", "The same name as NFD, in capitals, without diacritics, or with double spaces."},
		Right:    Text{"So sánh sau NFC và bỏ hoa thường; không bao giờ dùng tên làm khóa.", "Compare after NFC and case folding; never use a name as a key."},
		Spec:     []string{"UAX 15", "OIDC Core §5.1"},
		Variants: []Variant{{"nfd", Text{"dạng NFD", "as NFD"}}, {"upper", Text{"viết hoa", "in capitals"}}, {"no-diacritics", Text{"không dấu", "without diacritics"}}, {"double-space", Text{"thừa dấu cách", "with double spaces"}}},
		hooks: bothClaims2(func(x *Exchange, o *Object) {
			name := o.String("name")
			switch x.Variant {
			case "upper":
				name = strings.ToUpper(name)
			case "no-diacritics":
				name = withoutMarks(name)
			case "double-space":
				name = strings.ReplaceAll(name, " ", "  ")
			default:
				name = norm.NFD.String(name)
			}
			replace(o, "name", name)
		}),
	},
	{
		ID: "J14", Name: "name-changed", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Đổi họ tên", "Another name"},
		What:  Text{"Cùng sub, cùng CCCD, tên đã cải chính.", "The same sub and CCCD, a name that was corrected."},
		Right: Text{"Cập nhật hồ sơ, giữ liên kết.", "Update the profile, keep the link."},
		Spec:  []string{"OIDC Core §5.7"},
		hooks: bothClaims(func(o *Object) { replace(o, "name", "Nguyễn Thị Mới") }),
	},
	{
		ID: "J15", Name: "name-hostile", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{Encoded, NoRetry},
		Title:    Text{"Họ tên độc hại", "A hostile name"},
		What:     Text{"Tên dài 300 ký tự, có dấu đảo chiều, mã HTML, hoặc biểu tượng.", "A name of 300 characters, with right-to-left marks, markup, or emoji."},
		Right:    Text{"Giới hạn độ dài và mã hóa khi hiển thị.", "Bound its length and encode it on output."},
		Spec:     []string{"CWE-79", "CWE-451"},
		Variants: []Variant{{"markup", Text{"mã HTML", "markup"}}, {"long", Text{"300 ký tự", "300 characters"}}, {"rtl", Text{"dấu đảo chiều", "right-to-left marks"}}, {"emoji", Text{"biểu tượng", "emoji"}}},
		hooks: bothClaims2(func(x *Exchange, o *Object) {
			replace(o, "name", map[string]string{"markup": `Nguyễn <b id="canary">Văn</b> <img src=x>`, "long": strings.Repeat("Nguyễn ", 43), "rtl": "Nguyễn \u202eAn Văn\u202c", "emoji": "Nguyễn 😀 An"}[x.Variant])
		}),
	},
	{
		ID: "J16", Name: "birthdate-partial", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title:    Text{"Ngày sinh không đủ hoặc sai", "A partial or impossible birth date"},
		What:     Text{"Chỉ có năm, viết liền, ngày không có thật, hoặc năm hai chữ số.", "The year alone, without dashes, a day that never was, or a year of two digits."},
		Right:    Text{"Đọc chặt chẽ; giữ phần biết được, không đoán.", "Parse strictly; keep what is known, guess nothing."},
		Spec:     []string{"OIDC Core §5.1"},
		Variants: []Variant{{"year", Text{"chỉ có năm", "the year alone"}}, {"compact", Text{"19900315", "19900315, without dashes"}}, {"impossible", Text{"30 tháng 2", "30 February"}}, {"two-digit", Text{"năm hai chữ số", "a year of two digits"}}},
		hooks: bothClaims2(func(x *Exchange, o *Object) {
			date := o.String("birthdate")
			if len(date) < 4 {
				x.Untouched()
				return
			}
			o.Set("birthdate", map[string]string{"year": date[:4], "compact": strings.ReplaceAll(date, "-", ""), "impossible": date[:4] + "-02-30", "two-digit": "15/03/" + date[2:4]}[x.Variant])
		}),
	},
	{
		ID: "J17", Name: "phone-recycled", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Số điện thoại của người khác", "Somebody else's phone number"},
		What:  Text{"phone_number trùng với số của một người khác ở cổng.", "phone_number is one that another person has at the portal."},
		Right: Text{"Không bao giờ liên kết bằng số điện thoại.", "Never link by a phone number."},
		Spec:  []string{"NIST SP 800-63C §5.4"},
		hooks: hooks{userinfo: func(_ *Exchange, o *Object) {
			o.Set("phone_number", "+84950000002")
			o.Set("phone_number_verified", true)
		}},
	},
	{
		ID: "J18", Name: "email-unverified", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title:    Text{"E-mail của người khác, chưa xác minh", "Somebody else's e-mail, unverified"},
		What:     Text{"email trùng với tài khoản có sẵn; email_verified là false, không có, hoặc chuỗi \"false\".", "email is that of an existing account; email_verified is false, absent, or the string \"false\"."},
		Right:    Text{"Không bao giờ liên kết bằng e-mail.", "Never link by e-mail."},
		Spec:     []string{"OIDC Core §5.7", "CWE-290"},
		Variants: []Variant{{"false", Text{"là false", "it is false"}}, {"absent", Text{"không có", "it is absent"}}, {"text", Text{"chuỗi \"false\"", "the string \"false\""}}},
		hooks: hooks{userinfo: func(x *Exchange, o *Object) {
			o.Set("email", "binh@example.test")
			switch x.Variant {
			case "absent":
				o.Delete("email_verified")
			case "text":
				o.Set("email_verified", "false")
			default:
				o.Set("email_verified", false)
			}
		}},
	},
	{
		ID: "J22", Name: "organisation-account", Grade: Must, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Tài khoản tổ chức", "An organisation's account"},
		What:  Text{"account_type là organisation, có mã số thuế thay CCCD và CCCD của người đại diện.", "account_type is organisation, with a tax number for a CCCD and the representative's CCCD besides."},
		Right: Text{"Loại tài khoản riêng; không nhập vào hồ sơ công dân.", "An account type of its own; do not reuse the citizen's record."},
		Spec:  []string{"Nghị định 69/2024/NĐ-CP Điều 7"},
		hooks: bothClaims(func(o *Object) {
			if c := o.String("cccd"); c != "" {
				o.Set("account_type", "organisation")
				o.Set("tax_number", "2800123456")
				o.Set("representative_cccd", c)
				o.Delete("cccd")
			}
		}),
	},
	{
		ID: "J24", Name: "minor", Grade: Should, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Trẻ em có người giám hộ", "A minor with a guardian"},
		What:  Text{"Người đăng nhập dưới 14 tuổi, có guardian_cccd.", "The person is under 14, and guardian_cccd is there."},
		Right: Text{"Xử lý người giám hộ hoặc từ chối rõ ràng.", "Handle the guardian, or refuse clearly."},
		Spec:  []string{"Nghị định 69/2024/NĐ-CP Điều 7"},
		hooks: bothClaims2(func(x *Exchange, o *Object) {
			if c := o.String("cccd"); c != "" {
				year := x.Now().Year() - 10
				o.Set("guardian_cccd", c)
				replace(o, "birthdate", strings.Replace(x.Now().Format("2006-01-02"), x.Now().Format("2006"), strconv.Itoa(year), 1))
				o.Set("cccd", "0382"+strconv.Itoa(year)[2:]+"000778")
			}
		}),
	},
	{
		ID: "J27", Name: "foreigner", Grade: Should, Seam: SeamUserinfo, Signals: forPeople,
		Title: Text{"Người nước ngoài", "A foreigner"},
		What:  Text{"Không có CCCD; account_type là foreigner, có số hộ chiếu.", "No CCCD; account_type is foreigner, and a passport number comes with it."},
		Right: Text{"Dùng loại định danh khác, không ép thành CCCD.", "Another kind of identifier; do not force it into a CCCD."},
		Spec:  []string{"Nghị định 69/2024/NĐ-CP Điều 7"},
		hooks: bothClaims(func(o *Object) {
			if o.Delete("cccd") {
				o.Set("account_type", "foreigner")
				o.Set("passport_number", "X0000001")
			}
		}),
	},
}

// sameBirthOther is another number with the same century, sex and year.
func sameBirthOther(cccd string) string {
	if len(cccd) != 12 {
		return "038090000998"
	}
	return cccd[:6] + "000998"
}

func changeCCCD(x *Exchange, o *Object) {
	c := o.String("cccd")
	if len(c) != 12 {
		return
	}
	shift := func(zero rune) string {
		return strings.Map(func(r rune) rune { return zero + r - '0' }, c)
	}
	switch x.Variant {
	case "dots":
		o.Set("cccd", c[:3]+"."+c[3:6]+"."+c[6:])
	case "full-width":
		o.Set("cccd", shift('０'))
	case "arabic-indic":
		o.Set("cccd", shift('٠'))
	case "number":
		o.SetRaw("cccd", []byte(strings.TrimLeft(c[:11], "0")+c[11:]))
	default:
		o.Set("cccd", c[:3]+" "+c[3:6]+" "+c[6:])
	}
}

// withoutMarks is a name as old systems write it.
func withoutMarks(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == 'đ':
			b.WriteRune('d')
		case r == 'Đ':
			b.WriteRune('D')
		case r < 0x300 || r > 0x36f: // no combining mark
			b.WriteRune(r)
		}
	}
	return b.String()
}
