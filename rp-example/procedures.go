package main

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// procedure is a thủ tục hành chính. These are invented after the pattern of
// real ones; codes beginning with 9 belong to nobody.
type procedure struct {
	Code                    string
	Name, Field, Agency     text
	Level, Fee, Time, About text
	Papers                  []text
}

var (
	wholly = text{"Dịch vụ công trực tuyến toàn trình", "Fully online"}
	partly = text{"Dịch vụ công trực tuyến một phần", "Partly online"}

	commune = text{"Ủy ban nhân dân cấp xã", "Commune People's Committee"}
	freeFee = text{"Không thu phí", "Free of charge"}
	byVNeID = text{"Giấy tờ tùy thân (lấy từ VNeID, không phải nộp bản sao)", "Proof of identity (taken from VNeID, no copy needed)"}
)

var procedures = []procedure{
	{"9.000101", text{"Đăng ký khai sinh", "Birth registration"}, text{"Hộ tịch", "Civil status"}, commune, wholly, freeFee,
		text{"Trong ngày làm việc", "Within the working day"},
		text{"Ghi vào Sổ hộ tịch sự kiện sinh của trẻ em cư trú trên địa bàn tỉnh và cấp Giấy khai sinh.", "Enters the birth of a child living in the province in the civil register and issues the birth certificate."},
		[]text{{"Giấy chứng sinh", "Birth notification from the hospital"}, byVNeID}},
	{"9.000102", text{"Cấp bản sao trích lục hộ tịch", "Copy of a civil status extract"}, text{"Hộ tịch", "Civil status"}, commune, wholly,
		text{"8.000 đồng/bản", "VND 8,000 per copy"}, text{"Trong ngày làm việc", "Within the working day"},
		text{"Cấp bản sao trích lục khai sinh, kết hôn, khai tử đã đăng ký.", "Issues copies of registered births, marriages and deaths."},
		[]text{{"Tờ khai theo mẫu", "Application form"}, byVNeID}},
	{"9.000103", text{"Cấp Giấy xác nhận tình trạng hôn nhân", "Certificate of marital status"}, text{"Hộ tịch", "Civil status"}, commune, wholly,
		text{"15.000 đồng", "VND 15,000"}, text{"03 ngày làm việc", "3 working days"},
		text{"Xác nhận tình trạng hôn nhân của công dân Việt Nam cư trú trên địa bàn để kết hôn hoặc dùng vào mục đích khác.", "Certifies the marital status of a resident, for marriage or other purposes."},
		[]text{{"Tờ khai theo mẫu", "Application form"}, byVNeID}},
	{"9.000204", text{"Chứng thực bản sao từ bản chính", "Certified copy of an original"}, text{"Chứng thực", "Certification"}, commune, partly,
		text{"2.000 đồng/trang, tối đa 200.000 đồng/bản", "VND 2,000 per page, at most 200,000 per copy"}, text{"Trong ngày làm việc", "Within the working day"},
		text{"Chứng thực bản sao giấy tờ do cơ quan, tổ chức có thẩm quyền cấp.", "Certifies copies of papers issued by competent bodies."},
		[]text{{"Bản chính giấy tờ", "The original paper"}, {"Bản sao cần chứng thực", "The copy to be certified"}}},
	{"9.000301", text{"Đăng ký thành lập hộ kinh doanh", "Registration of a household business"}, text{"Đăng ký kinh doanh", "Business registration"}, commune, wholly,
		text{"100.000 đồng", "VND 100,000"}, text{"03 ngày làm việc", "3 working days"},
		text{"Cấp Giấy chứng nhận đăng ký hộ kinh doanh cho cá nhân hoặc các thành viên hộ gia đình.", "Issues the registration certificate of a household business."},
		[]text{{"Giấy đề nghị đăng ký hộ kinh doanh", "Registration request"}, byVNeID}},
	{"9.000402", text{"Cấp giấy phép xây dựng nhà ở riêng lẻ", "Building permit for a private house"}, text{"Xây dựng", "Construction"}, commune, partly,
		text{"75.000 đồng", "VND 75,000"}, text{"15 ngày", "15 days"},
		text{"Cấp giấy phép xây dựng mới đối với nhà ở riêng lẻ của hộ gia đình, cá nhân.", "Permits the building of a new private house."},
		[]text{{"Đơn đề nghị cấp giấy phép xây dựng", "Request for the permit"}, {"Giấy tờ chứng minh quyền sử dụng đất", "Proof of the land use right"}, {"Bản vẽ thiết kế", "Design drawings"}}},
	{"9.000503", text{"Đăng ký biến động quyền sử dụng đất do chuyển nhượng, tặng cho", "Registration of a transfer or gift of a land use right"}, text{"Đất đai", "Land"},
		text{"Chi nhánh Văn phòng đăng ký đất đai", "Land registration office, branch"}, partly,
		text{"Theo Nghị quyết của HĐND tỉnh", "As set by the provincial People's Council"}, text{"10 ngày làm việc", "10 working days"},
		text{"Ghi nhận thay đổi người sử dụng đất trên Giấy chứng nhận và hồ sơ địa chính.", "Records a new land user on the certificate and in the cadastre."},
		[]text{{"Hợp đồng đã công chứng, chứng thực", "Notarised contract"}, {"Giấy chứng nhận đã cấp", "The issued certificate"}}},
	{"9.000601", text{"Đề nghị hưởng trợ cấp xã hội hằng tháng", "Monthly social allowance"}, text{"Bảo trợ xã hội", "Social protection"}, commune, wholly, freeFee,
		text{"10 ngày làm việc", "10 working days"},
		text{"Xét trợ cấp hằng tháng cho người cao tuổi, người khuyết tật, trẻ em không có nguồn nuôi dưỡng.", "Monthly support for old people, people with disabilities and children without support."},
		[]text{{"Tờ khai theo mẫu", "Application form"}, {"Giấy xác nhận khuyết tật (nếu có)", "Disability certificate (if any)"}}},
	{"9.000702", text{"Cấp Giấy chứng nhận cơ sở đủ điều kiện an toàn thực phẩm", "Certificate of food safety for a facility"}, text{"An toàn thực phẩm", "Food safety"},
		text{"Sở Nông nghiệp và Môi trường", "Department of Agriculture and Environment"}, wholly,
		text{"700.000 đồng/cơ sở", "VND 700,000 per facility"}, text{"15 ngày làm việc", "15 working days"},
		text{"Dành cho cơ sở sản xuất, kinh doanh thực phẩm nông, lâm, thủy sản.", "For producers and sellers of farm, forest and sea food."},
		[]text{{"Đơn đề nghị", "Request"}, {"Bản thuyết minh điều kiện bảo đảm an toàn thực phẩm", "Statement of food safety conditions"}}},
	{"9.000801", text{"Cấp bản sao văn bằng, chứng chỉ từ sổ gốc", "Copy of a diploma from the register"}, text{"Giáo dục và Đào tạo", "Education"},
		text{"Sở Giáo dục và Đào tạo", "Department of Education and Training"}, wholly, freeFee, text{"Trong ngày làm việc", "Within the working day"},
		text{"Cấp lại bản sao bằng tốt nghiệp trung học phổ thông từ sổ gốc lưu tại Sở.", "Issues a copy of an upper secondary diploma from the register kept by the Department."},
		[]text{{"Đơn đề nghị cấp bản sao", "Request for a copy"}, byVNeID}},
	{"9.000802", text{"Chuyển trường đối với học sinh trung học phổ thông", "Change of school for upper secondary pupils"}, text{"Giáo dục và Đào tạo", "Education"},
		text{"Sở Giáo dục và Đào tạo", "Department of Education and Training"}, wholly, freeFee, text{"05 ngày làm việc", "5 working days"},
		text{"Giải quyết cho học sinh chuyển đến trường trung học phổ thông trong tỉnh.", "Lets a pupil move to an upper secondary school in the province."},
		[]text{{"Đơn xin chuyển trường", "Request"}, {"Học bạ", "School record"}}},
	{"9.000901", text{"Cấp thẻ hướng dẫn viên du lịch nội địa", "Domestic tour guide card"}, text{"Du lịch", "Tourism"},
		text{"Sở Văn hóa, Thể thao và Du lịch", "Department of Culture, Sports and Tourism"}, wholly,
		text{"650.000 đồng/thẻ", "VND 650,000 per card"}, text{"15 ngày làm việc", "15 working days"},
		text{"Dành cho người đủ điều kiện hành nghề hướng dẫn viên du lịch trong nước.", "For people qualified to guide tours in the country."},
		[]text{{"Đơn đề nghị cấp thẻ", "Request for the card"}, {"Văn bằng, chứng chỉ nghiệp vụ", "Diploma or professional certificate"}}},
}

func procedureByCode(code string) (procedure, bool) {
	for _, p := range procedures {
		if p.Code == code {
			return p, true
		}
	}
	return procedure{}, false
}

// findProcedures returns those that hold every word, with or without marks.
func findProcedures(query string) []procedure {
	words := strings.Fields(plain(query))
	var found []procedure
next:
	for _, p := range procedures {
		var hay strings.Builder
		for _, t := range []text{p.Name, p.Field, p.Agency} {
			hay.WriteString(plain(t.VI) + " " + plain(t.EN) + " ")
		}
		all := hay.String() + p.Code
		for _, w := range words {
			if !strings.Contains(all, w) {
				continue next
			}
		}
		found = append(found, p)
	}
	return found
}

// plain is lower case without diacritics: people search "ho kinh doanh".
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'đ':
			return 'd'
		}
		return r
	}, norm.NFD.String(strings.ToLower(s)))
}
