using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class SpoolTests : IDisposable
{
    /// <summary>Header and one chunk's tag.</summary>
    private const int Overhead = 96 + 16;

    private static readonly SpoolOptions NoWatermark = new() { MinFreeMegabytes = 0 };

    private readonly string _folder = Directory.CreateTempSubdirectory("psg-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_kept_file_is_there_after_opening_again_and_one_not_kept_is_gone()
    {
        string kept;
        using (Spool spool = Open())
        {
            kept = Write(spool, [1, 2, 3], keep: true);
            string dropped = Write(spool, [4, 5], keep: false);
            spool.IdleFiles().ShouldBe([kept]);
            Should.Throw<FileNotFoundException>(() => spool.Open(dropped));
            spool.UsedBytes.ShouldBe(3 + Overhead);
        }

        using Spool again = Open();
        using (ByteSource source = again.Open(kept))
        {
            source.ToArray().ShouldBe([1, 2, 3]);
        }

        again.UsedBytes.ShouldBe(3 + Overhead);
        again.Delete(kept);
        again.UsedBytes.ShouldBe(0);
    }

    [Fact]
    public void A_file_that_another_process_removed_is_counted_until_the_next_recount()
    {
        using Spool spool = Open();
        string kept = Write(spool, [1, 2, 3], keep: true);
        string removed = Write(spool, [4, 5], keep: true);
        using (ByteSource source = Spool.Open(_folder, kept, SampleObjects.Keys))
        {
            source.Length.ShouldBe(3);
        }

        Spool.Delete(_folder, removed);
        Spool.Delete(_folder, removed);
        spool.UsedBytes.ShouldBe(5 + (2 * Overhead));
        spool.Recount();
        spool.UsedBytes.ShouldBe(3 + Overhead);
        Should.Throw<ArgumentException>(() => Spool.Delete(_folder, "../lock"));
    }

    [Fact]
    public void Quota_and_watermark_say_when_there_is_no_room()
    {
        using (Spool spool = Open(new SpoolOptions { MinFreeMegabytes = 0, QuotaMegabytes = 1 }))
        {
            spool.HasRoomFor(1 << 20).ShouldBeTrue();
            string file = Write(spool, [1], keep: true);
            spool.HasRoomFor(1 << 20).ShouldBeFalse();
            spool.Delete(file);
            spool.HasRoomFor(1 << 20).ShouldBeTrue();
        }

        using Spool tight = Open(new SpoolOptions { MinFreeMegabytes = 1L << 40 });
        tight.HasRoomFor(1).ShouldBeFalse();
        tight.Room.MayBegin().ShouldBeFalse();
    }

    [Fact]
    public void What_is_not_protected_yet_counts_twice_and_full_stays_full_until_there_is_a_margin()
    {
        using Spool spool = Open(new SpoolOptions { MinFreeMegabytes = 0, QuotaMegabytes = 16 });
        spool.Room.MayBegin().ShouldBeTrue();
        string first = Write(spool, new byte[7 << 20], keep: true);
        spool.Room.MayBegin().ShouldBeTrue();
        spool.Room.Await(7 << 20);
        spool.Room.MayBegin().ShouldBeFalse();
        spool.Room.IsFull.ShouldBeTrue();
        spool.Room.MayGoOn(1 << 20).ShouldBeFalse();
        // 14 MiB would do, had it not been full; a sixteenth of the quota must be free beyond.
        spool.Room.Settle(1 << 20);
        spool.Room.MayBegin().ShouldBeFalse();
        spool.Room.Settle(1 << 20);
        spool.Room.MayBegin().ShouldBeTrue();
        spool.Room.IsFull.ShouldBeFalse();
        spool.Room.SetAwaiting(0);
        spool.Delete(first);
        spool.Room.MayGoOn(14 << 20).ShouldBeTrue();
        spool.Room.MayGoOn((14 << 20) + 1).ShouldBeFalse();
    }

    [Fact]
    public void One_process_at_a_time_owns_the_folder_of_a_gateway_and_several_gateways_share_the_spool()
    {
        using Spool spool = Open();
        Should.Throw<IOException>(() => Open());
        using Spool other = Open(node: "other");
        string name = Write(spool, [1, 2], keep: true);
        name.ShouldStartWith("gateway/");
        using (ByteSource read = other.Open(name))
        {
            read.ToArray().ShouldBe([1, 2]);
        }

        other.IdleFiles().ShouldBeEmpty();
        other.UsedBytes.ShouldBe(0);
        other.Delete(name);
        Should.Throw<FileNotFoundException>(() => spool.Open(name));
        other.UsedBytes.ShouldBe(0);
    }

    [Fact]
    public void What_a_dead_gateway_left_is_found_and_what_a_living_one_has_is_not()
    {
        using Spool spool = Open();
        string name;
        using (Spool other = Open(node: "other"))
        {
            name = Write(other, [1], keep: true);
            spool.FilesLeftBy("other").ShouldBeEmpty();
        }

        spool.FilesLeftBy("other").ShouldBe([name]);
        spool.FilesLeftBy("gateway").ShouldBeEmpty();
        spool.FilesLeftBy("nobody").ShouldBeEmpty();
        spool.FilesLeftBy("../etc").ShouldBeEmpty();
        using Spool again = Open(node: "other");
    }

    [Fact]
    public void An_earlier_version_on_the_same_folder_is_kept_out_and_keeps_us_out()
    {
        using (new FileStream(Path.Combine(_folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            Should.Throw<IOException>(() => Open());
        }

        using Spool spool = Open();
        Should.Throw<IOException>(() => new FileStream(Path.Combine(_folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
    }

    [Fact]
    public void Files_that_an_earlier_version_wrote_in_the_clear_are_read_swept_and_removed()
    {
        string earlier = Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(Path.Combine(_folder, earlier[..2]));
        File.WriteAllBytes(Path.Combine(_folder, earlier[..2], earlier), [7, 8, 9]);
        using Spool spool = Open();
        using (ByteSource source = spool.Open(earlier))
        {
            source.ToArray().ShouldBe([7, 8, 9]);
        }

        spool.UsedBytes.ShouldBe(3);
        spool.IdleFiles().ShouldBe([earlier]);
        spool.Delete(earlier);
        spool.UsedBytes.ShouldBe(0);
    }

    [Fact]
    public void Files_of_others_in_the_folder_are_not_ours_to_remove()
    {
        using Spool spool = Open();
        File.WriteAllText(Path.Combine(_folder, "gateway", "ab", "README"), "mine");
        spool.IdleFiles().ShouldBeEmpty();
    }

    [Fact]
    public void Without_encryption_the_bytes_lie_as_they_are_and_the_name_says_so()
    {
        byte[] bytes = new byte[(3 * 65536) + 5];
        new Random(1).NextBytes(bytes);
        string plain;
        using (Spool spool = Open(new SpoolOptions { MinFreeMegabytes = 0, Encrypt = false }))
        {
            plain = Write(spool, bytes, keep: true);
            plain.ShouldEndWith(".plain");
            spool.UsedBytes.ShouldBe(bytes.Length);
        }

        using Spool encrypting = Open();
        using ByteSource source = encrypting.Open(plain);
        source.ToArray().ShouldBe(bytes);
        File.ReadAllBytes(Directory.EnumerateFiles(_folder, "*.plain", SearchOption.AllDirectories).Single()).ShouldBe(bytes);
    }

    [Fact]
    public void A_name_that_is_not_ours_is_no_path()
    {
        using Spool spool = Open();
        string id = Guid.NewGuid().ToString("N");
        foreach (string name in (string[])["../../etc/passwd", "1.2.840.113619.2.55", "../" + id, "gateway/../" + id, $"gateway/{id}.part", $"{id}.plain", "a/" + id, "/" + id, ""])
        {
            Should.Throw<ArgumentException>(() => spool.Open(name), name);
            Should.Throw<ArgumentException>(() => spool.Delete(name), name);
        }

        foreach (string node in (string[])["ab", "Gateway", "../x", "1st", "", new string('a', 33)])
        {
            Should.Throw<ArgumentException>(() => Open(node: node), node);
        }
    }

    private Spool Open(SpoolOptions? options = null, string node = Spool.DefaultNode) => new(options ?? NoWatermark, _folder, SampleObjects.Keys, node);

    private static string Write(Spool spool, byte[] bytes, bool keep)
    {
        using SpoolFile file = spool.Create();
        file.Write(bytes);
        file.Flush();
        if (keep)
        {
            file.Keep();
        }

        return file.Name;
    }
}
