using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PacsStegoGateway.Tests.Repository;

/// <summary>No container engine is needed: <c>docker compose config</c> where that client is, else the file as YAML.</summary>
public sealed partial class ContainerTests
{
    [Fact]
    public async Task The_compose_file_starts_the_gateway_after_a_healthy_database_and_PACS()
    {
        JsonElement services = (await ReadCompose()).GetProperty("services");
        foreach (string name in (string[])["gateway", "database", "orthanc"])
        {
            services.GetProperty(name).GetProperty("healthcheck").GetProperty("test").GetArrayLength().ShouldBeGreaterThan(1, name);
            services.GetProperty(name).GetProperty("volumes").GetArrayLength().ShouldBeGreaterThan(0, name);
        }

        JsonElement after = services.GetProperty("gateway").GetProperty("depends_on");
        after.GetProperty("database").GetProperty("condition").GetString().ShouldBe("service_healthy");
        after.GetProperty("orthanc").GetProperty("condition").GetString().ShouldBe("service_healthy");
        services.GetProperty("database").GetProperty("image").GetString().ShouldBe("postgres:15");
    }

    [Fact]
    public async Task Two_gateways_differ_in_name_and_folder_alone_and_the_proxy_knows_both()
    {
        JsonElement services = (await ReadCompose("docker-compose.two-gateways.yml")).GetProperty("services");
        foreach (string name in (string[])["gateway-1", "gateway-2"])
        {
            JsonElement environment = services.GetProperty(name).GetProperty("environment");
            environment.GetProperty("PSG__Node__Name").GetString().ShouldBe(name);
            environment.GetProperty("PSG__DataFolder").GetString().ShouldBe("/var/lib/psg/" + name);
            environment.GetProperty("PSG__Spool__Folder").GetString().ShouldBe("/var/lib/psg/spool");
            environment.GetProperty("PSG__Keys__RingPath").GetString().ShouldBe("/var/lib/psg/keyring.json");
            RepositoryFiles.Text("config/haproxy.cfg").ShouldContain($"server {name} {name}:11112 check");
        }
    }

    [Fact]
    public void No_secret_is_written_into_the_compose_file()
    {
        // Whatever is called a password must be taken from the environment, and its absence must stop the start.
        IEnumerable<string> passwords = RepositoryFiles.Text("docker-compose.yml").Split('\n')
            .Where(static l => l.Contains("password", StringComparison.OrdinalIgnoreCase) && !l.StartsWith('#'));
        passwords.Count().ShouldBe(3);
        passwords.ShouldAllBe(static l => l.Contains("${", StringComparison.Ordinal) && l.Contains(":?", StringComparison.Ordinal));
    }

    [Fact]
    public void The_image_runs_as_a_user_without_rights_and_fetches_the_library_by_the_script()
    {
        string dockerfile = RepositoryFiles.Text("Dockerfile");
        dockerfile.ShouldContain("USER $APP_UID");
        dockerfile.ShouldContain("RUN scripts/fetch-onnxruntime.sh");
        foreach (Match copy in Copy().Matches(dockerfile))
        {
            foreach (string source in copy.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..^1])
            {
                string path = RepositoryFiles.At(source);
                (File.Exists(path) || Directory.Exists(path)).ShouldBeTrue($"the Dockerfile copies {source}");
            }
        }
    }

    private static async Task<JsonElement> ReadCompose(string file = "docker-compose.yml")
    {
        string path = RepositoryFiles.At(file);
        (int code, string output) = await Run("docker", "compose", "--file", path, "config", "--format", "json");
        if (code != 0)
        {
            (code, output) = await Run("/usr/bin/python3", "-c",
                "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1], encoding='utf-8')), sys.stdout)", path);
        }

        code.ShouldBe(0, output);
        return JsonDocument.Parse(output).RootElement;
    }

    private static async Task<(int Code, string Output)> Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PSG_DATABASE_PASSWORD"] = "of the test";
        start.Environment["ORTHANC_PASSWORD"] = "of the test";
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> complaints = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, process.ExitCode == 0 ? output : await complaints);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }

    [GeneratedRegex(@"^COPY (?!--from)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();
}
