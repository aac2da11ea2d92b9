using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

public sealed class PseudonymizerTests
{
    private static readonly byte[] Key = Enumerable.Range(0, 32).Select(static i => (byte)i).ToArray();

    private readonly Pseudonymizer _pseudonyms = new(Key);

    [Fact]
    public void A_UID_becomes_the_same_valid_UID_in_every_process_for_ever()
    {
        // HMAC-SHA-256(00 01 … 1F, 00000003 "UID" 00000007 "1.2.3.4"), first 16 bytes, by Python's hmac.
        _pseudonyms.MapUID("1.2.3.4").ShouldBe("2.25.265106128781156932270337380296368118042");
        new Pseudonymizer(Key).MapUID("1.2.3.4").ShouldBe(_pseudonyms.MapUID("1.2.3.4"));
    }

    [Fact]
    public void A_patient_becomes_the_same_twenty_characters_for_ever()
    {
        // HMAC-SHA-256(key, 00000009 "PatientID" 00000004 "SITE" 00000009 "4711-ÄÖ" in UTF-8), base 32 from the first bit.
        _pseudonyms.MapPatientID("SITE", "4711-ÄÖ").ShouldBe("0B4G0FE65TEDJSB5RWD4");
    }

    [Fact]
    public void Every_mapped_UID_is_valid()
    {
        for (int i = 0; i < 2000; i++)
        {
            string uid = _pseudonyms.MapUID($"1.2.{i}");
            Uid.IsValid(uid).ShouldBeTrue();
            uid.ShouldStartWith("2.25.");
        }
    }

    [Theory]
    [InlineData("1.2.840.10008.1.4.1.1")]
    [InlineData("1.2.840.10008.5.1.4.1.1.2")]
    [InlineData("")]
    public void UIDs_of_the_standard_are_kept(string uid) => _pseudonyms.MapUID(uid).ShouldBe(uid);

    [Theory]
    [InlineData("1.2.840.10008.19620704.4711")]
    [InlineData("1.2.840.10008.1.4.1.19620704")]
    [InlineData("1.2.840.10008.1.4.1.Doe")]
    [InlineData("1.2.840.10008.1.4.1.1.2.3.4")]
    public void The_root_of_the_standard_alone_protects_no_UID(string uid) => _pseudonyms.MapUID(uid).ShouldStartWith("2.25.");

    [Fact]
    public void Padding_does_not_make_another_identity()
    {
        _pseudonyms.MapUID("1.2.3\0").ShouldBe(_pseudonyms.MapUID("1.2.3"));
        _pseudonyms.MapPatientID(" A ", "7 ").ShouldBe(_pseudonyms.MapPatientID("A", "7"));
        _pseudonyms.MapPatientID(null, "7").ShouldBe(_pseudonyms.MapPatientID("", "7"));
    }

    [Fact]
    public void Domains_and_fields_do_not_run_into_each_other()
    {
        string[] all =
        [
            _pseudonyms.MapPatientID("", "AB"), _pseudonyms.MapPatientID("A", "B"), _pseudonyms.MapPatientID("AB", ""),
            _pseudonyms.MapUnknownPatient("AB"), _pseudonyms.MapAccessionNumber("", "AB"), _pseudonyms.MapAccessionNumber("A", "B"),
            _pseudonyms.MapPatientID("", "ab"),
        ];
        all.Select(static p => p[..16]).Distinct().Count().ShouldBe(all.Length);
    }

    [Fact]
    public void Another_key_gives_other_pseudonyms()
    {
        var other = new Pseudonymizer(new byte[32]);
        other.MapUID("1.2.3").ShouldNotBe(_pseudonyms.MapUID("1.2.3"));
        other.MapPatientID("", "7").ShouldNotBe(_pseudonyms.MapPatientID("", "7"));
    }

    [Fact]
    public void Pseudonyms_fit_their_attributes()
    {
        _pseudonyms.MapPatientID("", "1").Length.ShouldBe(Pseudonymizer.PatientIDLength);
        _pseudonyms.MapAccessionNumber("", "1").Length.ShouldBe(Pseudonymizer.AccessionNumberLength);
        _pseudonyms.MapPatientID("", "1").ShouldAllBe(static c => char.IsAsciiDigit(c) || char.IsAsciiLetterUpper(c));
        _pseudonyms.MapPatientID("", new string('x', 100_000)).Length.ShouldBe(Pseudonymizer.PatientIDLength);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_key_of_another_length_is_refused(int length) => Should.Throw<ArgumentException>(() => new Pseudonymizer(new byte[length]));
}
