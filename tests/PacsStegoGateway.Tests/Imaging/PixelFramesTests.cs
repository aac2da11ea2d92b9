using System.Buffers.Binary;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;

namespace PacsStegoGateway.Tests.Imaging;

public sealed class PixelFramesTests
{
    private static readonly TransferSyntax Rle = TransferSyntax.Of("1.2.840.10008.1.2.5");

    [Theory]
    [InlineData(8, 1, 3)]
    [InlineData(16, 1, 3)]
    [InlineData(32, 1, 2)]
    [InlineData(8, 3, 2)]
    [InlineData(16, 3, 1)]
    [InlineData(32, 3, 2)]
    public void A_native_frame_is_a_view_of_its_own_bytes(int bitsAllocated, int samples, int frames)
    {
        int length = 5 * 6 * samples * bitsAllocated / 8;
        byte[] value = Numbers(length * frames);
        DataSet dataSet = Image(bitsAllocated, samples, frames, value);
        var opened = PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian);
        opened.Count.ShouldBe(frames);
        opened.IsEncapsulated.ShouldBeFalse();
        for (int frame = 0; frame < frames; frame++)
        {
            PixelFrame read = opened.Read(frame);
            read.Bytes.ToArray().ShouldBe(value[(frame * length)..((frame + 1) * length)]);
            read.Bytes.Span.Overlaps(value).ShouldBeTrue("native frames are not copied");
        }

        Should.Throw<ArgumentOutOfRangeException>(() => opened.Read(frames));
        Should.Throw<ArgumentOutOfRangeException>(() => opened.Read(-1));
        Should.Throw<InvalidOperationException>(() => opened.FragmentsOf(0));
    }

    [Fact]
    public void Frames_of_packed_bits_follow_each_other_without_filling()
    {
        byte[] value = Numbers((30 * 3 / 8) + 1);
        var opened = PixelFrames.Open(Image(1, 1, 3, value), TransferSyntax.ExplicitVRLittleEndian);
        for (int frame = 0; frame < 3; frame++)
        {
            PixelFrame read = opened.Read(frame);
            for (int i = 0; i < 30; i++)
            {
                int bit = (frame * 30) + i;
                int at = read.BitOffset + i;
                (read.Bytes.Span[at / 8] >> (at % 8) & 1).ShouldBe(value[bit / 8] >> (bit % 8) & 1);
            }
        }
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Floating_point_pixel_data_has_its_own_elements(int bits)
    {
        byte[] value = Numbers(30 * bits / 8 * 2);
        DataSet dataSet = Image(bits, 1, 2, []);
        dataSet.Remove(Tags.PixelData);
        dataSet.Set(Element.Raw(bits == 32 ? Tags.FloatPixelData : Tags.DoubleFloatPixelData, bits == 32 ? Vr.OF : Vr.OD, value));
        var opened = PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian);
        opened.Samples.ShouldBe(bits == 32 ? SampleKind.Float32 : SampleKind.Float64);
        opened.Read(1).Bytes.ToArray().ShouldBe(value[(value.Length / 2)..]);
        dataSet.Set(Element.UInt16(Tags.BitsAllocated, 16));
        Should.Throw<DicomContentException>(() => PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian));
    }

    [Fact]
    public void A_frame_that_shares_chrominance_takes_two_thirds_unless_the_length_says_that_it_shares_none()
    {
        DataSet dataSet = Image(8, 3, 2, Numbers(30 * 2 * 2));
        dataSet.SetText(Tags.PhotometricInterpretation, "YBR_FULL_422");
        var opened = PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian);
        opened.Read(1).Bytes.Length.ShouldBe(60);
        dataSet.Set(Element.Raw(Tags.PixelData, Vr.OB, Numbers(30 * 3 * 2)));
        PixelFrame full = PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian).Read(1);
        full.Bytes.Length.ShouldBe(90);
        full.Format.PhotometricInterpretation.ShouldBe("YBR_FULL");
        dataSet.Set(Element.UInt16(Tags.Columns, 5));
        dataSet.Set(Element.Raw(Tags.PixelData, Vr.OB, Numbers(60)));
        Should.Throw<DicomContentException>(() => PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian));
    }

    [Fact]
    public void Samples_of_32_bits_in_big_endian_words_come_out_whole()
    {
        DataSet dataSet = Image(32, 1, 1, new byte[120]);
        byte[] bigEndian = new byte[120];
        for (int i = 0; i < 30; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bigEndian.AsSpan(i * 4), 0x01020304u * (uint)(i + 1));
        }

        // What the reader of a big endian OW value gives: the bytes of each 16-bit word swapped.
        byte[] words = new byte[120];
        for (int i = 0; i < 120; i++)
        {
            words[i] = bigEndian[i ^ 1];
        }

        dataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, words));
        ReadOnlySpan<byte> read = PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRBigEndian).Read(0).Bytes.Span;
        for (int i = 0; i < 30; i++)
        {
            BinaryPrimitives.ReadUInt32LittleEndian(read[(i * 4)..]).ShouldBe(0x01020304u * (uint)(i + 1));
        }
    }

    [Fact]
    public void Only_a_frame_that_is_cut_short_is_refused()
    {
        var opened = PixelFrames.Open(Image(16, 1, 3, Numbers(60 * 2 + 58)), TransferSyntax.ExplicitVRLittleEndian);
        opened.Read(1).Bytes.Length.ShouldBe(60);
        Should.Throw<DicomContentException>(() => opened.Read(2)).Message.ShouldContain("178 bytes");
    }

    [Theory]
    [InlineData("0", 1)]
    [InlineData("", 1)]
    [InlineData("-1", null)]
    [InlineData("two", null)]
    [InlineData("2147483647", 2147483647)]
    public void Number_of_Frames_is_taken_at_its_word_without_allocating_for_it(string text, int? expected)
    {
        DataSet dataSet = Image(16, 1, 1, Numbers(60));
        dataSet.SetText(Tags.NumberOfFrames, text);
        if (expected is null)
        {
            Should.Throw<DicomContentException>(() => PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian));
            return;
        }

        var opened = PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian);
        opened.Count.ShouldBe(expected.Value);
        opened.Read(0).Bytes.Length.ShouldBe(60);
        if (expected > 1)
        {
            Should.Throw<DicomContentException>(() => opened.Read(expected.Value - 1));
            dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], new byte[10]]));
            Should.Throw<DicomContentException>(() => PixelFrames.Open(dataSet, Rle));
        }
    }

    [Fact]
    public void A_description_that_no_pixels_can_have_is_refused_before_anything_is_allocated()
    {
        foreach (Action<DataSet> spoil in (Action<DataSet>[])
        [
            static d => d.Set(Element.UInt16(Tags.Rows, 0)),
            static d => d.Remove(Tags.Columns),
            static d => d.Set(Element.UInt16(Tags.BitsAllocated, 12)),
            static d => d.Set(Element.UInt16(Tags.BitsStored, 17)),
            static d => d.Set(Element.UInt16(Tags.HighBit, 16)),
            static d => d.Set(Element.UInt16(Tags.SamplesPerPixel, 2)),
            static d => { d.Set(Element.UInt16(Tags.Rows, 65535)); d.Set(Element.UInt16(Tags.Columns, 65535)); },
            static d => d.Remove(Tags.PixelData),
            static d => d.Set(Element.Raw(Tags.PixelData, Vr.OW, default)),
        ])
        {
            DataSet dataSet = Image(16, 1, 1, Numbers(60));
            spoil(dataSet);
            Should.Throw<DicomContentException>(() => PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(2026)]
    public void Fragments_find_their_frames_with_every_kind_of_table_and_without(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 50; round++)
        {
            int frames = random.Next(1, 6);
            var items = new List<ReadOnlyMemory<byte>> { ReadOnlyMemory<byte>.Empty };
            var expected = new List<byte[]>();
            uint[] starts = new uint[frames];
            uint position = 0;
            for (int frame = 0; frame < frames; frame++)
            {
                starts[frame] = position;
                var whole = new List<byte>();
                int pieces = random.Next(1, 4);
                for (int piece = 0; piece < pieces; piece++)
                {
                    byte[] fragment = new byte[random.Next(2, 40)]; // odd lengths too
                    random.NextBytes(fragment);
                    fragment[0] = 0x80; // no codestream's first byte
                    if (piece == 0)
                    {
                        fragment = [0xFF, 0xD8, 0xFF, .. fragment];
                    }

                    items.Add(fragment);
                    whole.AddRange(fragment);
                    position += 8 + (uint)fragment.Length;
                }

                expected.Add([.. whole]);
            }

            byte[] basic = [.. starts.SelectMany(BitConverter.GetBytes)];
            byte[] extended = [.. starts.SelectMany(static s => BitConverter.GetBytes((ulong)s))];
            byte[] wrong = (byte[])basic.Clone();
            wrong[^4] ^= 1;
            foreach ((byte[] Basic, byte[]? Extended, bool Wrong) table in ((byte[], byte[]?, bool)[])
                [(basic, null, false), ([], extended, false), ([], null, false), (wrong, null, true), (basic[..^2], null, true), ([], extended[..^1], true)])
            {
                items[0] = table.Basic;
                DataSet dataSet = Image(16, 1, frames, []);
                dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, items));
                if (table.Extended is not null)
                {
                    dataSet.Set(Element.Raw(Tags.ExtendedOffsetTable, Vr.OV, table.Extended));
                }

                var opened = PixelFrames.Open(dataSet, TransferSyntax.Of("1.2.840.10008.1.2.4.70"));
                for (int frame = 0; frame < frames; frame++)
                {
                    opened.Codestream(frame).ToArray().ShouldBe(expected[frame]);
                }
            }
        }
    }

    [Fact]
    public void Empty_fragments_are_left_out_when_nothing_else_tells_the_frames_apart()
    {
        DataSet dataSet = Image(16, 1, 2, []);
        dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], new byte[] { 1, 2 }, new byte[0], new byte[] { 3, 4 }, new byte[0]]));
        var opened = PixelFrames.Open(dataSet, Rle);
        opened.Codestream(0).ToArray().ShouldBe([1, 2]);
        opened.Codestream(1).ToArray().ShouldBe([3, 4]);
        opened.FragmentsOf(1).ShouldBe((3, 2));
        dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], new byte[0], new byte[] { 3, 4 }]));
        var half = PixelFrames.Open(dataSet, Rle);
        Should.Throw<DicomContentException>(() => half.Codestream(0));
        half.Codestream(1).Length.ShouldBe(2);
    }

    [Fact]
    public void Fragments_that_nothing_tells_apart_are_an_error_with_both_numbers()
    {
        DataSet dataSet = Image(16, 1, 2, []);
        dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], new byte[] { 1, 2 }, new byte[] { 3, 4 }, new byte[] { 5, 6 }]));
        Should.Throw<DicomContentException>(() => PixelFrames.Open(dataSet, Rle)).Message.ShouldContain("3 fragments for 2 frames");
        dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0]]));
        Should.Throw<DicomContentException>(() => PixelFrames.Open(dataSet, Rle)).Message.ShouldContain("0 fragments for 2 frames");
    }

    [Fact]
    public void A_transfer_syntax_without_decoder_is_refused_by_its_name_and_keeps_its_codestream()
    {
        DataSet dataSet = Image(16, 1, 1, []);
        dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], new byte[] { 1, 2 }]));
        var opened = PixelFrames.Open(dataSet, TransferSyntax.Of("1.2.840.10008.1.2.4.100"));
        Should.Throw<PixelCodecRefusedException>(() => opened.Read(0)).Message.ShouldContain("MPEG2");
        opened.Codestream(0).Length.ShouldBe(2);
    }

    [Fact]
    public void Encapsulated_uncompressed_frames_are_the_fragments_themselves()
    {
        byte[] frame = Numbers(60);
        DataSet dataSet = Image(16, 1, 1, []);
        dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], frame]));
        TransferSyntax uncompressed = TransferSyntax.Of("1.2.840.10008.1.2.1.98");
        PixelFrames.Open(dataSet, uncompressed).Read(0).Bytes.ToArray().ShouldBe(frame);
        dataSet.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], frame[..58]]));
        Should.Throw<DicomContentException>(() => PixelFrames.Open(dataSet, uncompressed).Read(0));
    }

    private static byte[] Numbers(int length) => [.. Enumerable.Range(0, length).Select(static i => (byte)((i * 37) + (i >> 8)))];

    private static DataSet Image(int bitsAllocated, int samples, int frames, byte[] value)
    {
        var dataSet = new DataSet();
        dataSet.Set(Element.UInt16(Tags.SamplesPerPixel, (ushort)samples));
        dataSet.SetText(Tags.PhotometricInterpretation, samples == 1 ? "MONOCHROME2" : "RGB");
        dataSet.SetText(Tags.NumberOfFrames, frames.ToString(System.Globalization.CultureInfo.InvariantCulture));
        dataSet.Set(Element.UInt16(Tags.Rows, 5));
        dataSet.Set(Element.UInt16(Tags.Columns, 6));
        dataSet.Set(Element.UInt16(Tags.BitsAllocated, (ushort)bitsAllocated));
        dataSet.Set(Element.UInt16(Tags.BitsStored, (ushort)bitsAllocated));
        dataSet.Set(Element.UInt16(Tags.HighBit, (ushort)(bitsAllocated - 1)));
        dataSet.Set(Element.UInt16(Tags.PixelRepresentation, 0));
        dataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, value));
        return dataSet;
    }
}
