using System.Security.Cryptography;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.Jpeg;
using PacsStegoGateway.Imaging.Frames;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Tests.Protection;

public sealed class CompressedImageTests(RoomsFixture fixture) : IClassFixture<RoomsFixture>
{
    private const string Rle = "1.2.840.10008.1.2.5";
    private const string JpegLossless = "1.2.840.10008.1.2.4.70";
    private const string JpegLosslessAnyPredictor = "1.2.840.10008.1.2.4.57";

    [Theory]
    [InlineData(Rle)]
    [InlineData(JpegLossless)]
    [InlineData(JpegLosslessAnyPredictor)]
    [InlineData("1.2.840.10008.1.2.1.98")]
    [InlineData("1.2.840.10008.1.2.4.80")]
    [InlineData("1.2.840.10008.1.2.4.90")]
    public void A_losslessly_compressed_image_leaves_in_its_own_transfer_syntax_and_comes_back_byte_for_byte(string uid)
    {
        TransferSyntax transferSyntax = RequireEncoder(uid);
        foreach (PhantomInstance phantom in (PhantomInstance[])[fixture.Phantoms[0], fixture.Phantoms[^1]])
        {
            DataSet original = Compress(phantom, transferSyntax, 1);
            ProtectedInstance instance = ProtectAndReveal(original, transferSyntax);
            instance.TransferSyntax.UID.ShouldBe(uid);
            DataSet stored = DataSetReader.Read(instance.DataSet, instance.TransferSyntax);
            stored.Find(Tags.PixelData)!.Fragments!.Count.ShouldBe(2);
            stored.Contains(Tags.LossyImageCompression).ShouldBeFalse();
        }
    }

    [Theory]
    [InlineData(JpegLossless, 200)]
    [InlineData(Rle, 8000)]
    public void What_another_encoder_wrote_costs_its_headers_and_not_its_length(string uid, int most)
    {
        // A sender whose encoder is not ours: other Huffman tables, or runs cut elsewhere, in three fragments with a table.
        TransferSyntax transferSyntax = TransferSyntax.Of(uid);
        DataSet original = Compress(fixture.Phantoms[0], transferSyntax, 1);
        byte[] foreign = uid == Rle ? WithSplitRuns(original.Find(Tags.PixelData)!.Fragments![1]) : WithOtherTables(original, transferSyntax);
        original.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[4], foreign.AsMemory(0, 100), foreign.AsMemory(100, 1), foreign.AsMemory(101)]));
        var record = PixelRestoration.Of(original.Find(Tags.PixelData)!);
        CarrierFrames.TryOpen(original, transferSyntax, out CarrierFrames frames).Reason.ShouldBe(RefusalReason.None);
        record.Add(frames, 0, transferSyntax);
        record.Encode().Length.ShouldBeLessThan(most);
        DataSet stored = Read(ProtectAndReveal(original, transferSyntax));
        stored.Find(Tags.PixelData)!.Fragments![0].ToArray().ShouldBe(new byte[4], "a table where the original has one");
    }

    [Fact]
    public void A_lossy_image_goes_on_uncompressed_says_so_and_comes_back_byte_for_byte()
    {
        // Whatever the codestream is, under this transfer syntax it may be lossy.
        TransferSyntax lossy = TransferSyntax.Of("1.2.840.10008.1.2.4.51");
        if (PixelCodecs.Find(lossy) is not { Unavailable: null })
        {
            Assert.Skip("There is no decoder for JPEG Extended on this machine.");
        }

        DataSet original = Compress(fixture.Phantoms[0], TransferSyntax.Of(JpegLossless), 1);
        ProtectedInstance instance = ProtectAndReveal(original, lossy);
        instance.TransferSyntax.ShouldBe(TransferSyntax.ExplicitVRLittleEndian);
        DataSet stored = Read(instance);
        stored.GetText(Tags.LossyImageCompression).ShouldBe("01");
        stored.Find(Tags.PixelData)!.ValueLength.ShouldBe(fixture.Phantoms[0].DataSet.Find(Tags.PixelData)!.ValueLength);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Frames_that_carry_nothing_keep_their_fragments_unless_something_else_is_in_them(bool withComment)
    {
        TransferSyntax transferSyntax = TransferSyntax.Of(JpegLossless);
        DataSet original = Compress(fixture.Phantoms[0], transferSyntax, 3);
        Fragments fragments = original.Find(Tags.PixelData)!.Fragments!;
        byte[] secret = "Secret^Name 1951"u8.ToArray();
        if (withComment)
        {
            byte[] last = fragments[3].ToArray();
            fragments = fragments.Replace(3, 1, ByteSource.Of((byte[])[0xFF, 0xD8, 0xFF, 0xFE, 0, (byte)(secret.Length + 2), .. secret, .. last[2..]]));
            original.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, fragments));
        }

        byte[] extended = new byte[24];
        byte[] lengths = new byte[24];
        for (int frame = 0, at = 0; frame < 3; frame++)
        {
            BitConverter.TryWriteBytes(extended.AsSpan(frame * 8), (long)at);
            BitConverter.TryWriteBytes(lengths.AsSpan(frame * 8), fragments.LengthOf(frame + 1));
            at += 8 + (int)fragments.LengthOf(frame + 1);
        }

        original.Set(Element.Raw(Tags.ExtendedOffsetTable, Vr.OV, extended));
        original.Set(Element.Raw(Tags.ExtendedOffsetTableLengths, Vr.OV, lengths));
        ProtectedInstance instance = ProtectAndReveal(original, transferSyntax);
        DataSet stored = Read(instance);
        Fragments sent = stored.Find(Tags.PixelData)!.Fragments!;
        sent[1].Span.SequenceEqual(fragments[1].Span).ShouldBeFalse("the first frame carries the symbol");
        sent[2].Span.SequenceEqual(fragments[2].Span).ShouldBeTrue();
        sent[3].Span.SequenceEqual(fragments[3].Span).ShouldBe(!withComment);
        instance.DataSet.ToArray().AsSpan().IndexOf(secret).ShouldBe(-1);

        // The tables lead to the frames as they are now.
        PixelFrames frames = PixelFrames.Open(stored, transferSyntax);
        frames.Read(2).Bytes.Span.SequenceEqual(PixelFrames.Open(original, transferSyntax).Read(2).Bytes.Span).ShouldBeTrue();
        BitConverter.ToInt64(stored.Find(Tags.ExtendedOffsetTable)!.Value.Span[8..]).ShouldBe(8 + sent.LengthOf(1));
        BitConverter.ToInt64(stored.Find(Tags.ExtendedOffsetTableLengths)!.Value.Span).ShouldBe(sent.LengthOf(1));
    }

    [Theory]
    [InlineData(JpegLossless)]
    [InlineData(Rle)]
    public void A_PACS_that_compresses_anew_or_not_at_all_does_not_spoil_the_original(string uid)
    {
        TransferSyntax sent = TransferSyntax.Of(uid);
        foreach ((DataSet Original, TransferSyntax Syntax) received in ((DataSet, TransferSyntax)[])
            [(Compress(fixture.Phantoms[0], sent, 1), sent), (fixture.Phantoms[0].DataSet, fixture.Phantoms[0].TransferSyntax)])
        {
            byte[] bytes = DataSetWriter.ToArray(received.Original, received.Syntax);
            ProtectedInstance instance = Protect(bytes, received.Syntax);
            foreach (string other in (string[])[JpegLosslessAnyPredictor, Rle, TransferSyntax.ExplicitVRLittleEndian.UID])
            {
                DataSet anew = Transcode(Read(instance), instance.TransferSyntax, TransferSyntax.Of(other));
                RevealedInstance revealed = fixture.Rooms.Revealer.Reveal(anew, TransferSyntax.Of(other)).ShouldBeOfType<RevealOutcome.Revealed>().Original;
                revealed.TransferSyntax.UID.ShouldBe(received.Syntax.UID);
                revealed.DataSet.ToArray().ShouldBe(bytes);
            }
        }
    }

    [Fact]
    public void A_PACS_that_compresses_many_frames_anew_loses_those_that_were_not_recorded_and_that_is_said()
    {
        TransferSyntax sent = TransferSyntax.Of(JpegLossless);
        DataSet original = Compress(fixture.Phantoms[0], sent, 2);
        ProtectedInstance instance = Protect(DataSetWriter.ToArray(original, sent), sent);
        RevealOutcome.NotRevealed refused = fixture.Rooms.Revealer.Reveal(Transcode(Read(instance), sent, TransferSyntax.Of(Rle)), TransferSyntax.Of(Rle))
            .ShouldBeOfType<RevealOutcome.NotRevealed>();
        refused.Reason.ShouldBe(RefusalReason.OriginalNotProven);
        refused.Detail.ShouldContain("RLE Lossless");
        refused.Identity.ShouldNotBeNull();
    }

    [Fact]
    public void From_the_symbol_alone_compressed_pixels_come_back_uncompressed_and_exact()
    {
        TransferSyntax transferSyntax = TransferSyntax.Of(JpegLossless);
        DataSet original = Compress(fixture.Phantoms[0], transferSyntax, 2);
        DataSet stored = Read(Protect(DataSetWriter.ToArray(original, transferSyntax), transferSyntax));
        stored.Remove(Tags.EncryptedAttributesSequence);
        RevealedInstance instance = fixture.Rooms.Revealer.Reveal(stored, transferSyntax).ShouldBeOfType<RevealOutcome.RevealedFromSymbolAlone>().Instance;
        DataSet restored = DataSetReader.Read(instance.DataSet, instance.TransferSyntax);
        byte[] frame = fixture.Phantoms[0].DataSet.Find(Tags.PixelData)!.Value.ToArray();
        restored.Find(Tags.PixelData)!.Value.ToArray().ShouldBe([.. frame, .. frame]);
    }

    [Fact]
    public void What_cannot_be_decoded_is_refused_by_its_name_and_damage_as_malformed()
    {
        DataSet original = Compress(fixture.Phantoms[0], TransferSyntax.Of(JpegLossless), 1);
        Refused(original, TransferSyntax.Of("1.2.840.10008.1.2.4.100"), RefusalReason.PixelsNotDecodable).ShouldContain("MPEG2");
        Refused(original, TransferSyntax.ExplicitVRLittleEndian, RefusalReason.PixelsNotDecodable).ShouldNotBeEmpty();
        byte[] cut = original.Find(Tags.PixelData)!.Fragments![1].ToArray()[..2000];
        original.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], cut]));
        Refused(original, TransferSyntax.Of(JpegLossless), RefusalReason.MalformedDataSet).ShouldNotBeEmpty();
        original.SetText(Tags.NumberOfFrames, "2");
        Refused(original, TransferSyntax.Of(JpegLossless), RefusalReason.MalformedDataSet).ShouldContain("1 fragment for 2 frames");
    }

    [Fact]
    public void A_codestream_that_is_too_long_to_be_sealed_is_refused_with_both_numbers()
    {
        TransferSyntax lossy = TransferSyntax.Of("1.2.840.10008.1.2.4.51");
        if (PixelCodecs.Find(lossy) is not { Unavailable: null })
        {
            Assert.Skip("There is no decoder for JPEG Extended on this machine.");
        }

        DataSet original = Compress(fixture.Phantoms[0], TransferSyntax.Of(JpegLossless), 1);
        ReadOnlyMemory<byte> codestream = original.Find(Tags.PixelData)!.Fragments![1];
        original.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], codestream, new byte[EncryptedAttributes.MostSealed]]));
        Refused(original, lossy, RefusalReason.UnsupportedObject).ShouldContain($"{EncryptedAttributes.MostSealed}");
    }

    [Fact]
    public void More_frames_with_comments_than_are_held_in_memory_are_refused_with_both_numbers()
    {
        TransferSyntax transferSyntax = TransferSyntax.Of(Rle);
        DataSet original = Compress(fixture.Phantoms[0], transferSyntax, 1);
        byte[] codestream = [.. original.Find(Tags.PixelData)!.Fragments![1].Span, .. "Secret^Name 1951"u8];
        int frames = (Protector.MostEncodedAnew / codestream.Length) + 2;
        original.SetText(Tags.NumberOfFrames, frames.ToString(System.Globalization.CultureInfo.InvariantCulture));
        original.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], .. Enumerable.Repeat((ReadOnlyMemory<byte>)codestream, frames)]));
        Refused(original, transferSyntax, RefusalReason.UnsupportedObject).ShouldContain($"{Protector.MostEncodedAnew}");
    }

    [Fact]
    public void Samples_outside_BitsStored_are_found_in_compressed_frames_too()
    {
        DataSet spoiled = fixture.Phantoms[0].DataSet.Clone();
        spoiled.Set(Element.UInt16(Tags.BitsStored, 12));
        spoiled.Set(Element.UInt16(Tags.HighBit, 11));
        spoiled.Set(Element.UInt16(Tags.PixelRepresentation, 0));
        byte[] pixels = new byte[spoiled.Find(Tags.PixelData)!.Value.Length];
        pixels[1] = 0x50;
        spoiled.Set(Element.Raw(Tags.PixelData, Vr.OW, pixels));
        TransferSyntax rle = TransferSyntax.Of(Rle);
        Refused(Transcode(spoiled, TransferSyntax.ExplicitVRLittleEndian, rle), rle, RefusalReason.BurnedInIdentity).ShouldNotBeEmpty();
    }

    [Fact]
    public void The_bytes_of_our_RLE_encoder_on_which_restorations_rely_never_change()
    {
        // Changing the encoder would make protected images of earlier versions irreversible: give it a new name instead.
        FrameFormat format = new() { Rows = 64, Columns = 96, BitsAllocated = 16, BitsStored = 12, HighBit = 11, PhotometricInterpretation = "MONOCHROME2" };
        byte[] frame = new byte[format.FrameLength];
        uint state = 2026;
        for (int i = 0; i < frame.Length; i += 2)
        {
            state = (state * 1664525) + 1013904223;
            int value = (i / 2 % 96) switch { < 30 => 0, < 60 => (int)(state >> 30) + 100, _ => (int)(state >> 20) };
            frame[i] = (byte)value;
            frame[i + 1] = (byte)(value >> 8);
        }

        Convert.ToHexString(SHA256.HashData(PixelCodecs.Find(TransferSyntax.Of(Rle))!.Encode(frame, format))).ShouldBe("2F5BC3AE91F6D3357B3505C60F1780B8AD53CB3E8DDB4546FA4C72CD44B0A7E5");
    }

    [Fact]
    public void Every_compressed_training_image_is_protected_or_its_reason_is_not_its_compression()
    {
        var refused = new List<string>();
        int protectedCount = 0;
        foreach (string path in Directory.EnumerateFiles(SharedData.Require("data/train"), "*", SearchOption.AllDirectories).Where(static p => !p.EndsWith(".csv", StringComparison.Ordinal)))
        {
            DicomFile file = DicomFile.Read(File.ReadAllBytes(path));
            if (!file.TransferSyntax.Encapsulated || PixelCodecs.Find(file.TransferSyntax) is not { Unavailable: null })
            {
                continue;
            }

            switch (fixture.Rooms.Protector.Protect(DataSetWriter.ToArray(file.DataSet, file.TransferSyntax), file.TransferSyntax))
            {
                case ProtectionOutcome.Protected:
                    protectedCount++;
                    break;
                case ProtectionOutcome.Quarantined quarantined when quarantined.Reason is not (RefusalReason.NoBackground or RefusalReason.BurnedInIdentity):
                    refused.Add($"{path}: {quarantined.Reason} {quarantined.Detail}");
                    break;
            }
        }

        refused.ShouldBeEmpty();
        protectedCount.ShouldBeGreaterThan(12);
    }

    internal static TransferSyntax RequireEncoder(string uid)
    {
        TransferSyntax transferSyntax = TransferSyntax.Of(uid);
        if (PixelCodecs.Find(transferSyntax) is not { CanEncode: true, Unavailable: null })
        {
            Assert.Skip($"There is no encoder for {transferSyntax.Name} on this machine.");
        }

        return transferSyntax;
    }

    /// <summary>The image with the same frame some times, compressed.</summary>
    internal static DataSet Compress(PhantomInstance phantom, TransferSyntax transferSyntax, int frames)
    {
        DataSet dataSet = phantom.DataSet.Clone();
        byte[] frame = dataSet.Find(Tags.PixelData)!.Value.ToArray();
        dataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, (byte[])[.. Enumerable.Repeat(frame, frames).SelectMany(static f => f)]));
        if (frames > 1)
        {
            dataSet.SetText(Tags.NumberOfFrames, frames.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        return Transcode(dataSet, TransferSyntax.ExplicitVRLittleEndian, transferSyntax);
    }

    private static DataSet Transcode(DataSet dataSet, TransferSyntax from, TransferSyntax to)
    {
        var frames = PixelFrames.Open(dataSet, from);
        DataSet result = dataSet.Clone();
        ReadOnlyMemory<byte>[] all = [.. Enumerable.Range(0, frames.Count).Select(f => frames.Read(f).Bytes)];
        result.Set(to.Encapsulated
            ? Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], .. all.Select(f => (ReadOnlyMemory<byte>)PixelCodecs.Find(to)!.Encode(f.Span, frames.Format))])
            : Element.Raw(Tags.PixelData, Vr.OW, (byte[])[.. all.SelectMany(static f => f.ToArray())]));
        return result;
    }

    private ProtectedInstance Protect(byte[] bytes, TransferSyntax transferSyntax) =>
        fixture.Rooms.Protector.Protect(bytes, transferSyntax).ShouldBeOfType<ProtectionOutcome.Protected>().Instance;

    private static DataSet Read(ProtectedInstance instance) => DataSetReader.Read(instance.DataSet, instance.TransferSyntax);

    private ProtectedInstance ProtectAndReveal(DataSet original, TransferSyntax transferSyntax)
    {
        byte[] bytes = DataSetWriter.ToArray(original, transferSyntax);
        ProtectedInstance instance = Protect(bytes, transferSyntax);
        RevealedInstance revealed = fixture.Rooms.Revealer.Reveal(Read(instance), instance.TransferSyntax).ShouldBeOfType<RevealOutcome.Revealed>().Original;
        revealed.TransferSyntax.UID.ShouldBe(transferSyntax.UID);
        revealed.DataSet.ToArray().ShouldBe(bytes);
        return instance;
    }

    private string Refused(DataSet original, TransferSyntax transferSyntax, RefusalReason reason)
    {
        ProtectionOutcome.Quarantined quarantined = fixture.Rooms.Protector.Protect(DataSetWriter.ToArray(original, transferSyntax), transferSyntax)
            .ShouldBeOfType<ProtectionOutcome.Quarantined>();
        quarantined.Reason.ShouldBe(reason, quarantined.Detail);
        return quarantined.Detail;
    }

    /// <summary>Every run of the first segment's beginning cut in two, as an encoder with shorter runs would have it.</summary>
    private static byte[] WithSplitRuns(ReadOnlyMemory<byte> codestream)
    {
        ReadOnlySpan<byte> bytes = codestream.Span;
        var result = new List<byte>(bytes[..64].ToArray());
        uint second = BitConverter.ToUInt32(bytes[8..]);
        for (int at = 64; at < bytes.Length;)
        {
            if (at == second)
            {
                BitConverter.TryWriteBytes(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(result)[8..], (uint)result.Count);
            }

            int count = (sbyte)bytes[at];
            if (at < 4000 && count <= -7)
            {
                result.AddRange([unchecked((byte)-3), bytes[at + 1], (byte)(count + 4), bytes[at + 1]]);
                at += 2;
            }
            else
            {
                int length = count >= 0 ? count + 2 : count == -128 ? 1 : 2;
                result.AddRange(bytes.Slice(at, Math.Min(length, bytes.Length - at)));
                at += length;
            }
        }

        if ((result.Count & 1) != 0)
        {
            result.Add(0);
        }

        return [.. result];
    }

    /// <summary>The same samples under a Huffman table of five bits for every size, which nobody would call best, and a comment.</summary>
    private static byte[] WithOtherTables(DataSet original, TransferSyntax transferSyntax)
    {
        var frames = PixelFrames.Open(original, transferSyntax);
        byte[] headers = JpegLosslessReplica.HeadersOf(frames.Codestream(0)).ToArray();
        int at = headers.AsSpan().IndexOf((byte[])[0xFF, 0xC4]);
        int length = (headers[at + 2] << 8) | headers[at + 3];
        byte[] table = [0xFF, 0xC4, 0, 2 + 17 + 17, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. Enumerable.Range(0, 17).Select(static v => (byte)v)];
        byte[] comment = [0xFF, 0xFE, 0, 8, .. "SENDER"u8];
        byte[] others = [.. headers[..2], .. comment, .. headers[2..at], .. table, .. headers[(at + 2 + length)..]];
        return JpegLosslessReplica.TryEncode(others, frames.Read(0).Bytes.Span, frames.Format).ShouldNotBeNull();
    }
}
