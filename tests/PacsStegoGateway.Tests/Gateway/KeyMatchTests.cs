using PacsStegoGateway.Dicom;
using PacsStegoGateway.Retrieval;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>PS3.4 C.2.2.2, rule by rule.</summary>
public sealed class KeyMatchTests
{
    [Theory]
    [InlineData(Vr.LO, "", "anything", true)]
    [InlineData(Vr.LO, "**", "", true)]
    [InlineData(Vr.UI, "*", "1.2", true)]
    [InlineData(Vr.DA, "", "", true)]
    [InlineData(Vr.LO, "ABCD", "abcd", false)]
    [InlineData(Vr.SH, "AB ", "AB", true)]
    [InlineData(Vr.LO, "A*", "", false)]
    [InlineData(Vr.LO, "ab?d", "abcd", true)]
    [InlineData(Vr.LO, "*x*y*z", "axbyczz", true)]
    [InlineData(Vr.LO, "*x*y*z", "axbyczq", false)]
    [InlineData(Vr.CS, "CT", "MR\\CT", true)]
    [InlineData(Vr.CS, "CT\\PT", "PT", true)]
    [InlineData(Vr.LT, "a\\b", "a\\b", true)]
    [InlineData(Vr.LT, "a", "a\\b", false)]
    public void Universal_single_and_wild_card(Vr vr, string key, string value, bool matches) => KeyMatch.IsMatch(vr, key, value).ShouldBe(matches);

    [Theory]
    [InlineData("doe^j*", "DOE^JANE", true)]
    [InlineData("Doe^Jane", "Doe^Jane^^", true)]
    [InlineData("Doe", "Doe^Jane", false)]
    [InlineData("yamada*", "Yamada^Tarou=山田^太郎=やまだ^たろう", true)]
    [InlineData("山田*", "Yamada^Tarou=山田^太郎", true)]
    [InlineData("yamada*=山田*", "Yamada^Tarou=山田^太郎", true)]
    [InlineData("yamada*=鈴木*", "Yamada^Tarou=山田^太郎", false)]
    [InlineData("*=山田*", "Yamada^Tarou", false)]
    [InlineData("müller", "MÜLLER", true)]
    public void Names_of_persons(string key, string value, bool matches) => KeyMatch.IsMatch(Vr.PN, key, value).ShouldBe(matches);

    [Theory]
    [InlineData("1.2\\1.3", "1.3", true)]
    [InlineData("1.*", "1.3", false)]
    [InlineData("1.2", "1.2.3", false)]
    public void Lists_of_UIDs(string key, string value, bool matches) => KeyMatch.IsMatch(Vr.UI, key, value).ShouldBe(matches);

    [Theory]
    [InlineData(Vr.IS, "7", "007", true)]
    [InlineData(Vr.DS, "1.50", "1.5", true)]
    [InlineData(Vr.US, "512", "512", true)]
    [InlineData(Vr.US, "512", "51", false)]
    [InlineData(Vr.AS, "038Y", "038Y", true)]
    public void Numbers_count_by_what_they_mean(Vr vr, string key, string value, bool matches) => KeyMatch.IsMatch(vr, key, value).ShouldBe(matches);

    [Theory]
    [InlineData(Vr.DA, "20200101-20201231", "20200615", true)]
    [InlineData(Vr.DA, "20200101-20201231", "20201231", true)]
    [InlineData(Vr.DA, "-20201231", "20210101", false)]
    [InlineData(Vr.DA, "20200101-", "", false)]
    [InlineData(Vr.DA, "20200101-", "20200101", true)]
    [InlineData(Vr.DA, "2020.01.01-2020.12.31", "20200615", true)]
    [InlineData(Vr.DA, "20200615", "20200615", true)]
    [InlineData(Vr.DA, "2020-nonsense", "20200615", false)]
    [InlineData(Vr.TM, "1000-1100", "103059.5", true)]
    [InlineData(Vr.TM, "1000-1100", "110030", true)]
    [InlineData(Vr.TM, "1000-1100", "110100", false)]
    [InlineData(Vr.TM, "10", "105959.999999", true)]
    [InlineData(Vr.TM, "103059", "103059.5", true)]
    [InlineData(Vr.TM, "10:30:59", "103059", true)]
    [InlineData(Vr.TM, "235959.5-", "235960", true)]
    [InlineData(Vr.DT, "20200101-20200102", "20200102235959.9", true)]
    [InlineData(Vr.DT, "2020", "20200615120000", true)]
    [InlineData(Vr.DT, "20200615100000+0000-20200615110000+0000", "20200615053000-0500", true)]
    [InlineData(Vr.DT, "20200615100000-0500", "20200615150000+0000", true)]
    [InlineData(Vr.DT, "-20200615100000-0500", "20200615140000+0000", true)]
    [InlineData(Vr.DT, "-20200615100000-0500", "20200615150001+0000", false)]
    [InlineData(Vr.DT, "20200230", "20200301", false)]
    public void Ranges_and_moments(Vr vr, string key, string value, bool matches) => KeyMatch.IsMatch(vr, key, value).ShouldBe(matches);
}
