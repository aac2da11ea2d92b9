using System.Security.Cryptography;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

public class ByteSourceTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 300_000).Select(static i => (byte)(i * 7 ^ i >> 8))];

    /// <summary>The same bytes as memory, as parts, and as a source whose memory nobody sees.</summary>
    public static TheoryData<string> Kinds => ["memory", "elsewhere", "joined", "replaced", "part of a part"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_part_can_be_read_sliced_and_passed_on(string kind)
    {
        ByteSource source = Make(kind);
        source.Length.ShouldBe(Bytes.Length);
        source.ToArray().ShouldBe(Bytes);
        source.Load().ToArray().ShouldBe(Bytes);
        var random = new Random(kind.Length);
        for (int i = 0; i < 200; i++)
        {
            int offset = random.Next(Bytes.Length + 1);
            int length = random.Next(Math.Min(Bytes.Length - offset, 5000) + 1);
            ReadOnlySpan<byte> expected = Bytes.AsSpan(offset, length);
            byte[] read = new byte[length];
            source.Read(offset, read);
            read.AsSpan().SequenceEqual(expected).ShouldBeTrue();
            ByteSource slice = source.Slice(offset, length);
            slice.ToArray().AsSpan().SequenceEqual(expected).ShouldBeTrue();
            slice.Slice(length / 2, length - (length / 2)).ToArray().AsSpan().SequenceEqual(expected[(length / 2)..]).ShouldBeTrue();
        }

        using var stream = new MemoryStream();
        source.CopyTo(stream);
        stream.ToArray().ShouldBe(Bytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        source.CopyTo(hash);
        hash.GetHashAndReset().ShouldBe(SHA256.HashData(Bytes));
        using Stream opened = source.OpenRead();
        opened.Seek(-5, SeekOrigin.End);
        byte[] last = new byte[10];
        opened.Read(last).ShouldBe(5);
        opened.Read(last).ShouldBe(0);
        last[..5].ShouldBe(Bytes[^5..]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void One_other_byte_anywhere_or_another_length_is_another_content(string kind)
    {
        ByteSource source = Make(kind);
        source.ContentEquals(ByteSource.Of(Bytes)).ShouldBeTrue();
        source.ContentEquals(ByteSource.Of(Bytes.AsMemory(1))).ShouldBeFalse();
        foreach (int at in new[] { 0, 1, 131_071, 131_072, 262_143, 299_999 })
        {
            source.ContentEquals(source.Replace(at, ByteSource.Of(new byte[] { (byte)~Bytes[at] }))).ShouldBeFalse();
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_not_inside_is_refused(string kind)
    {
        ByteSource source = Make(kind);
        Should.Throw<ArgumentOutOfRangeException>(() => source.Read(-1, new byte[1]));
        Should.Throw<ArgumentOutOfRangeException>(() => source.Read(Bytes.Length, new byte[1]));
        Should.Throw<ArgumentOutOfRangeException>(() => source.Slice(Bytes.Length - 1, 2));
        Should.Throw<ArgumentOutOfRangeException>(() => source.Slice(long.MaxValue, 1));
        Should.Throw<ArgumentOutOfRangeException>(() => source.Replace(Bytes.Length - 1, ByteSource.Of(new byte[2])));
        source.Slice(Bytes.Length, 0).Length.ShouldBe(0);
        source.Read(Bytes.Length, []);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void A_swapped_value_is_the_same_wherever_it_is_read_from(int unit)
    {
        byte[] value = Bytes[..1003];
        byte[] swapped = new byte[value.Length];
        ByteOrder.Swap(value, unit, swapped);
        ByteSource source = SwappedSource.Of(new Elsewhere(value), unit);
        for (int offset = 0; offset <= value.Length; offset++)
        {
            foreach (int length in new[] { 1, 2, 3, 7, 9, 64, value.Length - offset })
            {
                byte[] read = new byte[Math.Min(length, value.Length - offset)];
                source.Read(offset, read);
                read.ShouldBe(swapped[offset..(offset + read.Length)]);
            }
        }

        SwappedSource.Of(source, unit).ToArray().ShouldBe(value);
    }

    [Fact]
    public void A_file_that_has_become_shorter_is_an_I_O_failure()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Bytes);
            using FileStream file = File.Open(path, FileMode.Open);
            using var source = new FileSource(file.SafeFileHandle, Bytes.Length, ownsHandle: false);
            source.ToArray().ShouldBe(Bytes);
            file.SetLength(10);

            Should.Throw<EndOfStreamException>(() => source.Read(0, new byte[11]));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void The_text_of_a_source_is_its_length_alone() => Make("joined").ToString().ShouldBe("300000 bytes");

    private static ByteSource Make(string kind) => kind switch
    {
        "memory" => ByteSource.Of(Bytes),
        "elsewhere" => new Elsewhere(Bytes),
        "joined" => ByteSource.Join(
            ByteSource.Join(new Elsewhere(Bytes[..1]), ByteSource.Of(Bytes.AsMemory(1, 130_000))), ByteSource.Empty, new Elsewhere(Bytes[130_001..])),
        "replaced" => new Elsewhere([.. Bytes[..1000], .. new byte[500], .. Bytes[1500..]]).Replace(1000, ByteSource.Of(Bytes.AsMemory(1000, 500))),
        _ => new Elsewhere([1, 2, 3, .. Bytes, 4, 5]).Slice(1, Bytes.Length + 3).Slice(2, Bytes.Length),
    };
}
