using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Tests.Steganography;

public class KeyRingTests
{
    [Fact]
    public void A_ring_comes_back_as_it_was_made()
    {
        string path = Bench.FreshPath();
        KeyRing made = KeyRing.Create(path);

        KeyRing loaded = KeyRing.Load(path);

        loaded.ActiveKeyId.ShouldBe(made.ActiveKeyId);
        loaded.PseudonymKey.ToArray().ShouldBe(made.PseudonymKey.ToArray());
        loaded.Active.SealKey.ToArray().ShouldBe(made.Active.SealKey.ToArray());
        loaded.Active.Recipient.Thumbprint.ShouldBe(made.Active.Recipient.Thumbprint);
        Directory.GetFiles(Path.GetDirectoryName(path)!).ShouldBe([path]);
    }

    [Fact]
    public void The_recipient_is_an_RSA_3072_certificate_that_decrypts()
    {
        using RSA publicKey = Bench.Ring.Active.Recipient.GetRSAPublicKey()!;
        using RSA privateKey = Bench.Ring.Active.Recipient.GetRSAPrivateKey()!;
        byte[] secret = Bench.Message(32);

        byte[] wrapped = publicKey.Encrypt(secret, RSAEncryptionPadding.OaepSHA256);

        publicKey.KeySize.ShouldBe(3072);
        privateKey.Decrypt(wrapped, RSAEncryptionPadding.OaepSHA256).ShouldBe(secret);
    }

    [Fact]
    public void Rotation_keeps_old_keys_open_and_the_pseudonym_key_the_same()
    {
        string path = Bench.FreshPath();
        KeyRing first = KeyRing.Create(path);

        KeyRing second = first.Rotate();

        second.ActiveKeyId.ShouldNotBe(first.ActiveKeyId);
        second.Find(first.ActiveKeyId)!.State.ShouldBe(KeyState.Retained);
        second.PseudonymKey.ToArray().ShouldBe(first.PseudonymKey.ToArray());
        KeyRing loaded = KeyRing.Load(path);
        loaded.Keys.Select(key => (key.Id, key.State)).ShouldBe([(second.ActiveKeyId, KeyState.Active), (first.ActiveKeyId, KeyState.Retained)]);

        KeyRing third = loaded.Retire(first.ActiveKeyId);

        third.Find(first.ActiveKeyId)!.State.ShouldBe(KeyState.Retired);
        KeyRing.Load(path).Find(first.ActiveKeyId)!.State.ShouldBe(KeyState.Retired);
    }

    [Fact]
    public void The_active_key_and_unknown_keys_cannot_be_retired()
    {
        KeyRing ring = Bench.Ring;
        Error(() => ring.Retire(ring.ActiveKeyId)).ShouldBe(KeyRingError.KeyIsActive);
        Error(() => ring.Retire(ring.ActiveKeyId ^ 1)).ShouldBe(KeyRingError.UnknownKey);
        ring.Find(ring.ActiveKeyId ^ 1).ShouldBeNull();
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherExecute)]
    public void A_file_open_to_others_is_refused_and_a_new_one_is_not_open(UnixFileMode extra)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix modes.");
            return;
        }

        string path = Copy();
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | extra);

        KeyRingException refusal = Should.Throw<KeyRingException>(() => KeyRing.Load(path));

        refusal.Error.ShouldBe(KeyRingError.TooOpen);
        refusal.Message.ShouldContain("chmod 600");
    }

    [Fact]
    public void A_missing_file_is_named_and_an_existing_one_never_overwritten()
    {
        Error(() => KeyRing.Load(Bench.FreshPath())).ShouldBe(KeyRingError.NotFound);
        string path = Copy();
        byte[] before = File.ReadAllBytes(path);
        Error(() => KeyRing.Create(path)).ShouldBe(KeyRingError.AlreadyExists);
        File.ReadAllBytes(path).ShouldBe(before);
    }

    public static TheoryData<string, Action<JsonObject>> Damages => new()
    {
        { "format", ring => ring["Format"] = "something else" },
        { "no format", ring => ring.Remove("Format") },
        { "no keys", ring => ring["Keys"] = new JsonArray() },
        { "keys null", ring => ring["Keys"] = null },
        { "a null key", ring => ((JsonArray)ring["Keys"]!).Add(null) },
        { "short pseudonym key", ring => ring["PseudonymKey"] = "AAAA" },
        { "short master", ring => ring["Keys"]![0]!["Master"] = "AAAA" },
        { "master not base64", ring => ring["Keys"]![0]!["Master"] = "?" },
        { "id 0", ring => ring["Keys"]![0]!["Id"] = 0 },
        { "unknown state", ring => ring["Keys"]![0]!["State"] = "Lost" },
        { "none active", ring => ring["Keys"]![0]!["State"] = "Retired" },
        { "two of one id", ring => ((JsonArray)ring["Keys"]!).Add(Retained(ring["Keys"]![0]!)) },
        { "certificate", ring => ring["Keys"]![0]!["RecipientCertificate"] = "AAAA" },
        { "private key", ring => ring["Keys"]![0]!["RecipientKey"] = "AAAA" },
        { "no private key", ring => ((JsonObject)ring["Keys"]![0]!).Remove("RecipientKey") },
    };

    [Theory]
    [MemberData(nameof(Damages), DisableDiscoveryEnumeration = true)]
    public void A_damaged_ring_is_refused_without_quoting_it(string what, Action<JsonObject> damage)
    {
        string path = Copy();
        JsonObject ring = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        string master = ring["Keys"]![0]!["Master"]!.GetValue<string>();
        damage(ring);
        File.WriteAllText(path, ring.ToJsonString());

        KeyRingException refusal = Should.Throw<KeyRingException>(() => KeyRing.Load(path), what);

        refusal.Error.ShouldBe(KeyRingError.Damaged, what);
        refusal.ToString().ShouldNotContain(master);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"Format\":")]
    public void What_is_no_ring_at_all_is_refused(string text)
    {
        string path = Copy();
        File.WriteAllText(path, text);
        Error(() => KeyRing.Load(path)).ShouldBe(KeyRingError.Damaged);
    }

    [Fact]
    public void A_file_far_too_long_is_refused_before_it_is_read()
    {
        string path = Copy();
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength((4 << 20) + 1);
        }

        Error(() => KeyRing.Load(path)).ShouldBe(KeyRingError.Damaged);
    }

    [Fact]
    public void Nothing_about_a_key_is_told_by_its_text() =>
        Bench.Ring.Active.ToString().ShouldBe($"key {Bench.Ring.ActiveKeyId:x8} (Active)");

    [Fact]
    public void Keys_and_seal_give_the_known_answers()
    {
        // Made independently with Python's cryptography package.
        byte[] master = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];
        SealingKey key = new(0x01020304, DateTimeOffset.UnixEpoch, KeyState.Active, master, Bench.Ring.Active.Recipient);
        byte[] nonce = [.. Enumerable.Range(0x20, 12).Select(static i => (byte)i)];
        byte[] sealedMessage = new byte[16 + Seal.Overhead];

        Seal.Write(key, "PacsStegoGateway"u8, nonce, sealedMessage);

        Convert.ToHexStringLower(key.SealKey).ShouldBe("11cfa453d7c07e8c378e4abf5a013e7279be38843d97f94af0876700cad24ca4");
        Convert.ToHexStringLower(key.PlaceKey).ShouldBe("96ad7f8fb892eba3c5f912b70fed392952e838bd0cc5db754f6d08d036749fed");
        Convert.ToHexStringLower(sealedMessage).ShouldBe(
            "1001020304202122232425262728292a2b5dec826298bb18eb477d8e5af3b2c7451646b380bc86cc84171baf78f81bcef2");
    }

    [Fact]
    public void No_flipped_bit_and_no_other_key_opens_a_seal()
    {
        byte[] plaintext = Bench.Message(40);
        byte[] sealedMessage = new byte[plaintext.Length + Seal.Overhead];
        Seal.Write(Bench.Ring.Active, plaintext, sealedMessage);
        byte[] opened = new byte[plaintext.Length];
        Seal.TryOpen(Bench.Ring.Active, sealedMessage, opened).ShouldBeTrue();
        opened.ShouldBe(plaintext);

        for (int bit = 0; bit < sealedMessage.Length * 8; bit++)
        {
            sealedMessage[bit / 8] ^= (byte)(1 << (bit % 8));
            Seal.TryOpen(Bench.Ring.Active, sealedMessage, opened).ShouldBeFalse();
            opened.ShouldAllBe(static value => value == 0);
            sealedMessage[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        SealingKey other = new(Bench.Ring.ActiveKeyId, DateTimeOffset.UnixEpoch, KeyState.Active, new byte[32], Bench.Ring.Active.Recipient);
        Seal.TryOpen(other, sealedMessage, opened).ShouldBeFalse();
    }

    private static KeyRingError Error(Action action) => Should.Throw<KeyRingException>(action).Error;

    private static JsonNode Retained(JsonNode key)
    {
        JsonNode copy = key.DeepClone();
        copy["State"] = "Retained";
        return copy;
    }

    /// <summary>A file of its own with the shared ring's content: making an RSA key for each test would be slow.</summary>
    private static string Copy()
    {
        _ = Bench.Ring;
        string path = Bench.FreshPath();
        File.Copy(Bench.RingPath, path);
        return path;
    }
}
