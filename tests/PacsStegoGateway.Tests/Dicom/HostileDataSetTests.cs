using System.IO.Compression;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>One test per limit, and bytes changed at random.</summary>
public class HostileDataSetTests
{
    private const string Item = "FEFF 00E0 FFFFFFFF";

    [Theory]
    [InlineData("0800 6000 4353 0400 4D52", "The length 4 is more than the 2 bytes that are left.")]
    [InlineData("E07F 1000 4F57 0000 FEFFFFFF 0102", "The length 4294967294 is more than the 2 bytes that are left.")]
    [InlineData("0800 4011 5351 0000 20000000 FEFF 00E0 00000000", "The length 32 is more than the 8 bytes that are left.")]
    [InlineData("0800 4011 5351 0000 08000000 FEFF 00E0 10000000", "The length 16 is more than the 0 bytes that are left.")]
    [InlineData("0800 4011 5351 0000 08000000 FEFF 00E0 FFFFFFFF", "The item has no Item Delimitation Item.")]
    [InlineData("E07F 1000 4F42 0000 FFFFFFFF FEFF 00E0 FFFFFFFF", "The length is undefined where it must be counted.")]
    [InlineData("0800 6000 4353 FFFF", "The length 65535 is more than the 0 bytes that are left.")]
    [InlineData("0800 6000 5554 0000 FFFFFFFF", "VR UT cannot have undefined length.")]
    [InlineData("0800 4011 5351 0000 08000000 0800 6000 00000000", "(0008,0060) stands where an item must.")]
    [InlineData("FEFF 0DE0 00000000", "This tag does not belong between elements.")]
    [InlineData("0800 60", "3 bytes are left, too few for an element header.")]
    public void A_wrong_length_is_refused_with_both_numbers(string hex, string message)
    {
        Should.Throw<DicomContentException>(() => DataSetReader.Read(GoldenDataSets.Hex(hex), TransferSyntax.ExplicitVRLittleEndian))
            .Message.ShouldEndWith(message);
    }

    [Fact]
    public void An_announced_length_is_not_allocated()
    {
        byte[] bytes = GoldenDataSets.Hex("0028 0010 4F57 0000 7FFFFFFF 0102");
        long before = GC.GetAllocatedBytesForCurrentThread();

        Record.Exception(() => DataSetReader.Read(bytes, TransferSyntax.ExplicitVRBigEndian)).ShouldBeOfType<DicomContentException>();

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1_000_000);
    }

    [Fact]
    public void A_value_longer_than_allowed_is_refused()
    {
        var options = new DicomReadOptions { MaxValueLength = 1 };

        Should.Throw<DicomContentException>(() => DataSetReader.Read(GoldenDataSets.ExplicitBigEndian, TransferSyntax.ExplicitVRBigEndian, options))
            .Message.ShouldBe("(0008,0060) at 0x0: The length 2 is more than the allowed 1.");
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(100_000, false)]
    public void Sequences_may_nest_64_deep(int depth, bool isAllowed)
    {
        byte[] open = GoldenDataSets.Hex("0800 4011 FFFFFFFF", Item);
        byte[] close = GoldenDataSets.Hex("FEFF 0DE0 00000000 FEFF DDE0 00000000");
        byte[] bytes = [.. Enumerable.Repeat(open, depth).SelectMany(static b => b), .. Enumerable.Repeat(close, depth).SelectMany(static b => b)];

        Exception? failure = Record.Exception(() => DataSetReader.Read(bytes, TransferSyntax.ImplicitVRLittleEndian));

        (failure is null).ShouldBe(isAllowed);
        (failure?.Message ?? "").ShouldEndWith(isAllowed ? "" : "Sequences are nested deeper than 64.");
    }

    [Fact]
    public void The_depth_limit_itself_is_bounded()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => new DicomReadOptions { MaxSequenceDepth = 1025 });
        Should.Throw<ArgumentOutOfRangeException>(() => new DicomReadOptions { MaxSequenceDepth = 0 });
    }

    [Fact]
    public void Items_and_fragments_are_counted()
    {
        var options = new DicomReadOptions { MaxItems = 5 };
        DataSetReader.Read(GoldenDataSets.ImplicitLittleEndian, TransferSyntax.ImplicitVRLittleEndian, options).Count.ShouldBe(6);

        Should.Throw<DicomContentException>(() => DataSetReader.Read(GoldenDataSets.ExplicitLittleEndian, TransferSyntax.ExplicitVRLittleEndian, options))
            .Message.ShouldEndWith("More than 5 items.");
    }

    [Fact]
    public void Elements_are_counted()
    {
        var options = new DicomReadOptions { MaxElements = 3 };

        Should.Throw<DicomContentException>(() => DataSetReader.Read(GoldenDataSets.ExplicitBigEndian, TransferSyntax.ExplicitVRBigEndian, options))
            .Message.ShouldEndWith("More than 3 elements.");
    }

    [Fact]
    public void A_deflate_bomb_is_refused_while_inflating()
    {
        using var bomb = new MemoryStream();
        using (var deflater = new DeflateStream(bomb, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflater.Write(new byte[8 << 20]);
        }

        var options = new DicomReadOptions { MaxInflatedLength = 1 << 20 };
        Should.Throw<DicomContentException>(() => DataSetReader.Read(bomb.ToArray(), TransferSyntax.DeflatedExplicitVRLittleEndian, options))
            .Message.ShouldContain("more than 1048576 bytes");
    }

    [Fact]
    public void Bytes_that_are_no_deflate_stream_are_refused()
    {
        Should.Throw<DicomContentException>(() => DataSetReader.Read(new byte[] { 0xFF, 0xFF, 0xFF }, TransferSyntax.DeflatedExplicitVRLittleEndian));
    }

    [Theory]
    [MemberData(nameof(GoldenDataSets.Names), MemberType = typeof(GoldenDataSets))]
    public void Bytes_changed_at_random_are_refused_or_mean_the_same_when_written_and_read_again(string name)
    {
        const int Seed = 20260301;
        (byte[] golden, TransferSyntax syntax) = GoldenDataSets.Of(name);
        var random = new Random(Seed);
        int read = 0;
        for (int round = 0; round < 6_000; round++)
        {
            byte[] bytes = [.. golden];
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)(random.Next(3) == 0 ? random.Next(4) * 0x55 : random.Next(256));
            }

            DataSet set;
            try
            {
                set = DataSetReader.Read(bytes, syntax, new() { Strict = round % 2 == 0 });
            }
            catch (DicomContentException)
            {
                continue;
            }

            read++;
            byte[] written = DataSetWriter.ToArray(set, syntax);
            byte[] again = DataSetWriter.ToArray(DataSetReader.Read(written, syntax), syntax);
            again.ShouldBe(written, $"round {round} of seed {Seed}");
            if (round % 2 == 0)
            {
                written.ShouldBe(bytes, $"strictly read, round {round} of seed {Seed}");
            }
        }

        read.ShouldBeGreaterThan(500);
    }
}
