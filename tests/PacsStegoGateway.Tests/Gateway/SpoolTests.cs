using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class SpoolTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_kept_file_is_there_after_opening_again_and_one_not_kept_is_gone()
    {
        string kept;
        using (var spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, _folder))
        {
            kept = Write(spool, [1, 2, 3], keep: true);
            string dropped = Write(spool, [4, 5], keep: false);
            spool.IdleFiles().ShouldBe([kept]);
            Should.Throw<FileNotFoundException>(() => spool.Open(dropped));
            spool.UsedBytes.ShouldBe(3);
        }

        using var again = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, _folder);
        using (ByteSource source = again.Open(kept))
        {
            source.ToArray().ShouldBe([1, 2, 3]);
        }

        again.UsedBytes.ShouldBe(3);
        again.Delete(kept);
        again.UsedBytes.ShouldBe(0);
    }

    [Fact]
    public void A_file_that_another_process_removed_is_counted_until_the_next_recount()
    {
        using var spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, _folder);
        string kept = Write(spool, [1, 2, 3], keep: true);
        string removed = Write(spool, [4, 5], keep: true);
        using (ByteSource source = Spool.Open(_folder, kept))
        {
            source.Length.ShouldBe(3);
        }

        Spool.Delete(_folder, removed);
        Spool.Delete(_folder, removed);
        spool.UsedBytes.ShouldBe(5);
        spool.Recount();
        spool.UsedBytes.ShouldBe(3);
        Should.Throw<ArgumentException>(() => Spool.Delete(_folder, "../lock"));
    }

    [Fact]
    public void Quota_and_watermark_say_when_there_is_no_room()
    {
        using (var spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0, QuotaMegabytes = 1 }, _folder))
        {
            spool.HasRoomFor(1 << 20).ShouldBeTrue();
            string file = Write(spool, [1], keep: true);
            spool.HasRoomFor(1 << 20).ShouldBeFalse();
            spool.Delete(file);
            spool.HasRoomFor(1 << 20).ShouldBeTrue();
        }

        using var tight = new Spool(new SpoolOptions { MinFreeMegabytes = 1L << 40 }, _folder);
        tight.HasRoomFor(1).ShouldBeFalse();
    }

    [Fact]
    public void One_process_at_a_time_owns_the_folder()
    {
        using var spool = new Spool(new SpoolOptions(), _folder);
        Should.Throw<IOException>(() => new Spool(new SpoolOptions(), _folder));
    }

    [Fact]
    public void A_name_that_is_not_ours_is_no_path()
    {
        using var spool = new Spool(new SpoolOptions(), _folder);
        Should.Throw<ArgumentException>(() => spool.Open("../../etc/passwd"));
        Should.Throw<ArgumentException>(() => spool.Delete("1.2.840.113619.2.55"));
    }

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
