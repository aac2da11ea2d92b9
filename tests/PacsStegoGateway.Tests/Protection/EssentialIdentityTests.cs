using System.Security.Cryptography;
using System.Text;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Tests.Protection;

public sealed class EssentialIdentityTests
{
    [Theory]
    [InlineData("Yamada^Tarou=山田^太郎", "1.2.3", "ISO_IR 192")]
    [InlineData("Müller^Jörg", "1.2.840.113619.2.55.3.604688119.969.1268071029.320", "ISO_IR 100")]
    [InlineData("", "2.25.329800735698586629295641978511506172918", "ISO_IR 100")]
    public void Raw_values_come_back_byte_for_byte(string name, string uid, string characterSet)
    {
        var original = new DataSet();
        original.SetText(Tags.SpecificCharacterSet, characterSet);
        original.SetText(Tags.PatientName, name);
        original.SetText(Tags.PatientID, "A 1");
        original.SetText(Tags.StudyInstanceUID, uid);
        original.SetText(Tags.SOPInstanceUID, uid + ".1");
        EssentialIdentity back = EssentialIdentity.Decode(EssentialIdentity.Of(original).EncodeForIndex());
        foreach (Element element in original)
        {
            back.Values.Find(element.Tag)!.Value.ToArray().ShouldBe(element.Value.ToArray(), element.Tag.ToString());
        }

        back.Values.GetText(Tags.PatientName).ShouldBe(name);
    }

    [Fact]
    public void Nothing_of_it_shows_when_it_is_formatted()
    {
        var original = new DataSet();
        original.SetText(Tags.PatientName, "Secret^Name");
        $"{EssentialIdentity.Of(original)}".ShouldBe("[redacted]");
    }

    [Fact]
    public void Hostile_bytes_give_the_typed_error_or_an_identity()
    {
        byte[] seed = SHA256.HashData(Encoding.ASCII.GetBytes("essential identity"));
        for (int i = 0; i < 5000; i++)
        {
            seed = SHA256.HashData(seed);
            byte[] bytes = [(byte)(1 + (seed[0] & 1)), .. seed.AsSpan(0, i % 32)];
            try
            {
                EssentialIdentity.Decode(bytes).Values.Count.ShouldBeLessThanOrEqualTo(EssentialIdentity.Attributes.Count);
            }
            catch (DicomContentException)
            {
                // The expected answer to bytes of another version or cut short.
            }
        }
    }
}
