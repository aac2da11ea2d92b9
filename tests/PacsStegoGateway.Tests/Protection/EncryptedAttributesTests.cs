using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Tests.Protection;

public sealed class EncryptedAttributesTests : IDisposable
{
    private readonly RSA _key = RSA.Create(2048);
    private readonly X509Certificate2 _recipient;
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-cms-").FullName;

    public EncryptedAttributesTests() => _recipient = new CertificateRequest("CN=recipient", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));

    [Fact]
    public void What_is_sealed_comes_back_whatever_its_length()
    {
        for (int length = 0; length < 70; length++)
        {
            DataSet plain = Plain(new string('x', length));
            DataSet outer = Outer(EncryptedAttributes.Seal(plain, _recipient));
            EncryptedAttributes.Open(outer, [_recipient])!.GetText(Tags.PatientComments).ShouldBe(new string('x', length));
        }
    }

    [Fact]
    public void Another_recipient_opens_nothing()
    {
        using RSA other = RSA.Create(2048);
        using X509Certificate2 stranger = new CertificateRequest("CN=recipient", other, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));
        EncryptedAttributes.Open(Outer(EncryptedAttributes.Seal(Plain("secret"), _recipient)), [stranger]).ShouldBeNull();
    }

    [Fact]
    public void Damaged_content_never_throws_and_never_lies()
    {
        byte[] content = EncryptedAttributes.Seal(Plain("secret"), _recipient).Find(Tags.EncryptedContent)!.Value.ToArray();
        for (int at = 0; at < content.Length; at += 7)
        {
            byte[] damaged = (byte[])content.Clone();
            damaged[at] ^= 0x5A;
            var item = new DataSet();
            item.Set(Element.Raw(Tags.EncryptedContent, Vr.OB, damaged));
            try
            {
                DataSet? opened = EncryptedAttributes.Open(Outer(item), [_recipient]);
                opened?.Count.ShouldBeGreaterThanOrEqualTo(0);
            }
            catch (DicomContentException)
            {
                // Decrypted to something that is no data set: CBC does not authenticate, the sealed hash in the symbol does.
            }
        }
    }

    [Fact]
    public void OpenSSL_opens_the_standard_CMS_envelope()
    {
        string cms = Path.Combine(_folder, "content.der"), key = Path.Combine(_folder, "key.pem"), output = Path.Combine(_folder, "plain.bin");
        File.WriteAllBytes(cms, EncryptedAttributes.Seal(Plain("seen by openssl"), _recipient).Find(Tags.EncryptedContent)!.Value.ToArray());
        File.WriteAllText(key, _key.ExportPkcs8PrivateKeyPem());
        using Process? openssl = Process.Start(new ProcessStartInfo("openssl", ["cms", "-decrypt", "-inform", "DER", "-in", cms, "-inkey", key, "-out", output]) { RedirectStandardError = true });
        openssl!.WaitForExit(30_000).ShouldBeTrue();
        openssl.ExitCode.ShouldBe(0, openssl.StandardError.ReadToEnd());
        DataSetReader.Read(File.ReadAllBytes(output), TransferSyntax.ExplicitVRLittleEndian).GetText(Tags.PatientComments).ShouldBe("seen by openssl");
    }

    public void Dispose()
    {
        _recipient.Dispose();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static DataSet Plain(string text)
    {
        var plain = new DataSet();
        plain.SetText(Tags.PatientComments, text);
        return plain;
    }

    private static DataSet Outer(DataSet item)
    {
        var outer = new DataSet();
        outer.Set(Element.Sequence(Tags.EncryptedAttributesSequence, [item]));
        return outer;
    }
}
