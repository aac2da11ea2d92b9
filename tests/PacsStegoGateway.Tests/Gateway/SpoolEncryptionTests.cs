using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class SpoolEncryptionTests : IDisposable
{
    private const int Chunk = 65536;
    private const int SealedChunk = Chunk + 16;
    private const int Header = 96;

    private readonly string _folder = Directory.CreateTempSubdirectory("psg-spool-").FullName;
    private readonly KeyRing _keys;
    private readonly Spool _spool;

    public SpoolEncryptionTests()
    {
        _keys = KeyRing.Create(Path.Combine(_folder, "keys.json"));
        _spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, SpoolFolder, _keys);
    }

    private string SpoolFolder => Path.Combine(_folder, "spool");

    public void Dispose()
    {
        _spool.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Chunk - 1)]
    [InlineData(Chunk)]
    [InlineData(Chunk + 1)]
    [InlineData((3 * Chunk) - 1)]
    [InlineData(3 * Chunk)]
    [InlineData((5 * Chunk) + 777)]
    public void What_was_written_in_pieces_of_any_length_comes_back_read_in_pieces_of_any_length(int length)
    {
        byte[] bytes = Random(length);
        foreach (int piece in (int[])[1000, Chunk, 3 * Chunk, int.MaxValue])
        {
            string name = Write(bytes, piece);
            PathOf(name).ShouldSatisfyAllConditions(
                path => new FileInfo(path).Length.ShouldBe(Header + length + (16L * Math.Max(1, (length + Chunk - 1) / Chunk))),
                path => SpoolSeal.ContentLength(new FileInfo(path).Length).ShouldBe(length));
            using ByteSource source = _spool.Open(name);
            source.ToArray().ShouldBe(bytes);
            Backwards(source).ShouldBe(bytes);
            Passed(source.Slice(length / 3, length - (length / 3))).ShouldBe(bytes[(length / 3)..]);
        }
    }

    [Fact]
    public async Task What_is_being_written_can_be_read_by_several_threads_while_more_is_written()
    {
        byte[] bytes = Random((6 * Chunk) + 99);
        using SpoolFile file = _spool.Create();
        file.Write(bytes.AsSpan(0, (2 * Chunk) + 50));
        ByteSource early = file.Written(10);
        early.ToArray().ShouldBe(bytes[10..((2 * Chunk) + 50)]);
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(() => Enumerable.Range(0, 20).All(_ => early.ToArray().AsSpan().SequenceEqual(bytes.AsSpan(10, (2 * Chunk) + 40))))).ToArray();
        file.Write(bytes.AsSpan((2 * Chunk) + 50));
        (await Task.WhenAll(readers)).ShouldAllBe(static same => same);
        file.Written(0).ToArray().ShouldBe(bytes);
        file.Length.ShouldBe(bytes.Length);
        file.Flush();
        Should.Throw<ObjectDisposedException>(() => early.ToArray());
        Should.Throw<ObjectDisposedException>(() => file.Write([1]));
        using ByteSource kept = _spool.Open(file.Name);
        Parallel.For(0, 8, _ => kept.ToArray().ShouldBe(bytes));
    }

    [Fact]
    public void Nothing_of_the_object_is_in_the_file_and_equal_objects_have_nothing_in_common()
    {
        byte[] bytes = new byte[2 * Chunk];
        "DOE^JANE"u8.CopyTo(bytes.AsSpan(1000));
        byte[] first = File.ReadAllBytes(PathOf(Write(bytes)));
        byte[] second = File.ReadAllBytes(PathOf(Write(bytes)));
        first.AsSpan().IndexOf("DOE^JANE"u8).ShouldBe(-1);
        first.AsSpan().IndexOf(new byte[32]).ShouldBe(-1);
        first[..16].ShouldBe(second[..16]);
        for (int i = 16; i + 16 <= first.Length; i += 16)
        {
            second.AsSpan().IndexOf(first.AsSpan(i, 16)).ShouldBe(-1);
        }
    }

    [Fact]
    public void Every_changed_byte_of_header_and_tags_is_found_and_so_is_any_in_between()
    {
        byte[] bytes = Random((2 * Chunk) + 10);
        string name = Write(bytes);
        byte[] good = File.ReadAllBytes(PathOf(name));
        int[] places = [.. Enumerable.Range(0, Header).Where(static i => i is < 12 or > 15), Header, Header + Chunk, Header + SealedChunk, Header + SealedChunk + 5000, good.Length - 17, good.Length - 1];
        foreach (int place in places)
        {
            byte[] changed = (byte[])good.Clone();
            changed[place] ^= 0x40;
            File.WriteAllBytes(PathOf(name), changed);
            FaultOf(name).ShouldBe(SpoolFault.Damaged, $"byte {place}");
        }

        File.WriteAllBytes(PathOf(name), good);
        using ByteSource source = _spool.Open(name);
        source.ToArray().ShouldBe(bytes);
    }

    [Fact]
    public void A_damaged_chunk_gives_no_byte_and_the_others_still_open()
    {
        byte[] bytes = Random((3 * Chunk) + 10);
        string name = Write(bytes);
        Change(name, static file => file[Header + SealedChunk + 100] ^= 1);
        using ByteSource source = _spool.Open(name);
        byte[] read = [.. Enumerable.Repeat((byte)0x55, Chunk)];
        Should.Throw<SpoolFileException>(() => source.Read(Chunk, read)).Fault.ShouldBe(SpoolFault.Damaged);
        read.ShouldAllBe(static b => b == 0);
        Should.Throw<SpoolFileException>(() => source.Read(Chunk + 7, read.AsSpan(0, 9)));
        source.Read(2 * Chunk, read);
        read.ShouldBe(bytes[(2 * Chunk)..(3 * Chunk)]);
    }

    [Fact]
    public void A_file_cut_short_lengthened_or_reordered_is_found()
    {
        byte[] bytes = Random((3 * Chunk) + 10);
        string name = Write(bytes);
        string path = PathOf(name);
        byte[] good = File.ReadAllBytes(path);
        foreach (int length in (int[])[0, 7, Header - 1, Header, Header + 15, Header + 16, Header + SealedChunk, Header + SealedChunk + 1, Header + (3 * SealedChunk), good.Length - 1])
        {
            File.WriteAllBytes(path, good[..length]);
            FaultOf(name).ShouldBe(SpoolFault.Damaged, $"{length} bytes");
        }

        File.WriteAllBytes(path, [.. good, 0]);
        FaultOf(name).ShouldBe(SpoolFault.Damaged);
        File.WriteAllBytes(path, [.. good, .. good[^26..]]);
        FaultOf(name).ShouldBe(SpoolFault.Damaged);
        byte[] swapped = (byte[])good.Clone();
        good.AsSpan(Header, SealedChunk).CopyTo(swapped.AsSpan(Header + SealedChunk));
        good.AsSpan(Header + SealedChunk, SealedChunk).CopyTo(swapped.AsSpan(Header));
        File.WriteAllBytes(path, swapped);
        FaultOf(name).ShouldBe(SpoolFault.Damaged);
    }

    [Fact]
    public void A_file_under_the_name_of_another_a_plain_one_and_no_file_of_ours_are_not_taken()
    {
        string one = Write(Random(500));
        string two = Write(Random(500));
        File.Copy(PathOf(one), PathOf(two), overwrite: true);
        FaultOf(two).ShouldBe(SpoolFault.Damaged);
        File.WriteAllBytes(PathOf(two), Random(700));
        FaultOf(two).ShouldBe(SpoolFault.Damaged);
        byte[] plain = new byte[700];
        "DICM"u8.CopyTo(plain.AsSpan(128));
        File.WriteAllBytes(PathOf(two), plain);
        FaultOf(two).ShouldBe(SpoolFault.Damaged);
    }

    [Fact]
    public void After_a_rotation_older_files_open_and_after_retiring_their_key_the_reason_says_so()
    {
        byte[] bytes = Random(100);
        string name = Write(bytes);
        uint old = _keys.ActiveKeyId;
        KeyRing rotated = _keys.Rotate();
        using (ByteSource source = Spool.Open(SpoolFolder, name, rotated))
        {
            source.ToArray().ShouldBe(bytes);
        }

        SpoolFileException retired = Should.Throw<SpoolFileException>(() => Spool.Open(SpoolFolder, name, rotated.Retire(old)));
        (retired.Fault, retired.Message).ShouldBe((SpoolFault.KeyRetired, $"Key {old:x8}, under which the spool file is encrypted, is retired."));
        SpoolFileException missing = Should.Throw<SpoolFileException>(() => Spool.Open(SpoolFolder, name, SampleObjects.Keys));
        (missing.Fault, missing.Message).ShouldBe((SpoolFault.KeyMissing, $"The key ring holds no key {old:x8}, under which the spool file is encrypted."));
    }

    [Fact]
    public void The_published_vector_comes_out_byte_for_byte()
    {
        byte[] master = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];
        var key = new SealingKey(0x01020304, DateTimeOffset.UnixEpoch, KeyState.Active, master, SampleObjects.Keys.Active.Recipient);
        byte[] salt = [.. Enumerable.Range(0x40, 32).Select(static i => (byte)i)];
        byte[] objectKey = [.. Enumerable.Range(0x80, 32).Select(static i => (byte)i)];
        byte[] file = new byte[Header + 5 + 16];
        using SpoolSeal seal = SpoolSeal.Create(key, Guid.ParseExact("00112233445566778899aabbccddeeff", "N"), salt, objectKey, file.AsSpan(0, Header));
        seal.Seal(0, isLast: true, "DICOM"u8, file.AsSpan(Header));
        Convert.ToHexStringLower(file).ShouldBe(
            "50534753504f4f4c0110000001020304404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5fdb30d2537002d90723673c9852b55aee"
            + "ca740a2337521365cd991416dbe542e819ee65bb870326940c2832146361527a330cb5ae0ba1e906a4ffd7ade33750e6a3ae2df379");
    }

    private SpoolFault FaultOf(string name) => Should.Throw<SpoolFileException>(() =>
    {
        using ByteSource source = _spool.Open(name);
        source.Pass(static _ => { });
    }).Fault;

    private void Change(string name, Action<byte[]> change)
    {
        byte[] file = File.ReadAllBytes(PathOf(name));
        change(file);
        File.WriteAllBytes(PathOf(name), file);
    }

    private string PathOf(string name) => SpoolName.Parse(name).PathIn(SpoolFolder);

    private string Write(byte[] bytes, int piece = int.MaxValue)
    {
        using SpoolFile file = _spool.Create();
        for (int i = 0; i < bytes.Length; i += Math.Min(piece, bytes.Length - i))
        {
            file.Write(bytes.AsSpan(i, Math.Min(piece, bytes.Length - i)));
        }

        file.Flush();
        file.Keep();
        return file.Name;
    }

    private static byte[] Backwards(ByteSource source)
    {
        byte[] all = new byte[source.Length];
        for (long end = all.Length; end > 0;)
        {
            long start = Math.Max(0, end - 70_001);
            source.Read(start, all.AsSpan((int)start, (int)(end - start)));
            end = start;
        }

        return all;
    }

    private static byte[] Passed(ByteSource source)
    {
        using var all = new MemoryStream();
        source.CopyTo(all);
        return all.ToArray();
    }

    private static byte[] Random(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
